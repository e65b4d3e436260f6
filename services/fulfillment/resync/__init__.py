"""Resync: the current state of orders, re-emitted."""
