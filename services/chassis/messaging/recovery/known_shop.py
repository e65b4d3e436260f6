"""Check of a shop's name that an operator typed: a misspelt one would count nothing, which reads as an all-clear; an
empty one, such as an unset variable of a script, would read as all shops.
"""

from collections.abc import Mapping
from typing import Any

from services.chassis.messaging.inbound.parking import storable
from services.chassis.storage.database import Connection
from services.chassis.texts import trimmed


class ShopUnknown(Exception):
    """A shop has no name, or a service has no message of it; the text names what to check."""


def named_shop(given: Mapping[str, Any]) -> str | None:
    """Return the only shop that a body or query asks for (`shop`), or None if it names none and means all shops.

    Raises ShopUnknown for one that is empty or no text: it never means all.
    """
    shop = given.get("shop")
    if shop is None:
        return None
    if not isinstance(shop, str) or not (name := trimmed(storable(shop))):
        raise ShopUnknown("the shop is empty: name a shop, or leave shop out for all shops")
    return name


async def check_shop(connection: Connection, service: str, body: Mapping[str, Any]) -> None:
    """Check, if the body asks for it (`check_shop`), that the event log has a message of its `shop`.

    The back office does not ask: it knows its shops, and a new one has no messages yet. Raises ShopUnknown.
    """
    shop = named_shop(body)
    if body.get("check_shop") is not True or shop is None:
        return
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM msg.event_log WHERE shop = $1)", shop):
        raise ShopUnknown(f"{service} has sent no message of shop {shop[:63]}; check the shop's name")
