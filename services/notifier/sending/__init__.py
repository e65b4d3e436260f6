"""Mails handed to the mail server."""
