"""Handling of a submitted form: a command or a local action, and its response."""
