"""Parcels, shipments and deliveries: what waits, and the papers for the packing table."""
