"""Accounts: the ledger of one order, its attempts, refunds and remarks. Pure but for `unit`."""
