"""Notifier: mails to customers and merchants, written once per cause and sent, with their outcome reported."""
