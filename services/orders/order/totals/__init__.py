"""Amounts of an order: content, allocation to lines, taxes. Pure."""
