"""Faults of bodies, requests and settings, as sentences with the remedy."""
