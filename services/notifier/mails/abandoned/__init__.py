"""Reminders of checkouts that were not completed."""
