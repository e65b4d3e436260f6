"""Recaps that wait for the invoice of their order, to go with it in one mail."""
