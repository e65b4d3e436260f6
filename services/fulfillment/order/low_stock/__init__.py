"""Warnings when little is left of a SKU."""
