"""Stand-ins for the services that the server talks to: real servers on loopback."""
