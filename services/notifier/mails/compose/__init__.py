"""Composed mails: their content in either language, and the bytes that are sent."""
