"""Ways out of the server that several apps share."""
