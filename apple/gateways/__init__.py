"""Services of Apple that we call."""
