"""Messages of orders: an order's life, its changes, and the erasure of a customer."""
