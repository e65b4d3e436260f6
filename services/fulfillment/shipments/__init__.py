"""Shipments: dispatched, delivered, corrected, lost."""
