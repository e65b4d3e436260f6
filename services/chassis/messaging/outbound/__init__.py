"""Outbound messages: the relay publishes what is committed and deletes it once confirmed."""
