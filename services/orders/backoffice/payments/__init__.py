"""Payments, unmatched money and webhooks."""
