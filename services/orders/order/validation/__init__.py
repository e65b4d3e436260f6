"""Rules a submitted sale must meet to become an order. Pure."""
