"""Stripe's webhooks: signature, events, money. Nothing else in payments depends on Stripe's formats."""

PROVIDER = "stripe"
