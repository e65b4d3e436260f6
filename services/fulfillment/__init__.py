"""Fulfillment: stock, parcels, shipments and deliveries; the only owner of what is in stock and what has been
shipped.
"""
