"""Messages of fulfillment: stock, parcels, shipments, and the position of an order."""
