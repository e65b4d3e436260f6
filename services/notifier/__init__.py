"""Mails to customers and merchants: written once per cause, sent, and their fate reported."""
