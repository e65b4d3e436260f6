"""Customers: the list, the orders and payments of each, and the erasure of their data."""
