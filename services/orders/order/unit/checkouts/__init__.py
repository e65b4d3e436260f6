"""Checkouts: those that one transaction loads, changes and writes back."""
