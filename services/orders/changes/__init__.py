"""Changes of placed orders (edit, cancel, reinstate, delete), each in two steps with fulfillment."""
