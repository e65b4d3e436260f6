"""What the tests of orders share."""

from tests.orders.rest_client import short_waits

__all__ = ["short_waits"]
