"""Fulfillment's settings: only those of every service."""

from services.chassis.settings import ServiceSettings


class FulfillmentSettings(ServiceSettings):
    """Database, broker, address to listen on, token of the internal routes."""
