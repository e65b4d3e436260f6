"""Validation of submitted sales: the rules a sale must meet to become an order. Pure."""
