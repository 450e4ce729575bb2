"""Simulated devices and people, for tests, load and demos: HTTP in, HTTP out, no server code."""
