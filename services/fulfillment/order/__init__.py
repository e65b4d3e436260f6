"""An order as fulfillment sees it: positions, parcels, shipments, stock, and the unit of work that writes them."""
