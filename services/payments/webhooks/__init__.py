"""Webhooks of providers: received, applied, waiting, set aside."""
