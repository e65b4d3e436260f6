"""The REST API of the orders service."""
