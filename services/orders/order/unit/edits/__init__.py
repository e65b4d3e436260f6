"""Edits of placed orders, and deletions: those that one transaction loads, changes and writes back."""
