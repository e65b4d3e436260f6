"""Comparison of the ledger with what the providers list: what webhooks missed, and what only one side has."""
