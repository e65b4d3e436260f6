"""Refunds and credits: recorded, sent to the provider, settled."""
