"""Fulfillment's settings: those of every service, nothing of its own."""

from services.chassis.settings import ServiceSettings


class FulfillmentSettings(ServiceSettings):
    """Database, broker, address to listen on, token of the internal routes."""
