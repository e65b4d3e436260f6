"""Clients of the other services and of the broker, and the monitor of all of them."""
