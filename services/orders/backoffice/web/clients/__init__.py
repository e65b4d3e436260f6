"""Clients of the other services and of the broker, and one look at everything that runs."""
