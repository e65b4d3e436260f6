"""The orders service: the hub that takes orders, keeps their state and tells what became of them."""
