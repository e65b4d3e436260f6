"""Submitted sales: keys that are claimed, orders that are placed, and refusals, in one transaction."""
