"""Fulfillment: stock, parcels, shipments and deliveries. It alone knows what is on the shelf and what has
left.
"""
