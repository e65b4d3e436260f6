"""Endpoints of providers that are set in the back office: stored, encrypted, and activated while running."""
