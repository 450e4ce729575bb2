"""The Apple part of the API."""
