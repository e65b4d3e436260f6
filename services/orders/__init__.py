"""The orders service: the hub that receives orders, stores their state and publishes their changes."""
