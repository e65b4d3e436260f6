"""Parcels, shipments and deliveries: the queues, and the documents for the packing table."""
