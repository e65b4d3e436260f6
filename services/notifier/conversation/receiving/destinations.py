"""Which recipients our receiver accepts: reply addresses, bounce addresses, and the shops' own addresses.

The envelope's recipient alone decides to which thread a mail may belong; nothing in the mail does.
"""

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from services.chassis.storage.database import Connection
from services.notifier.conversation.reply_addresses import token_hash
from services.notifier.mails.settings import ShopProfile

_BOUNCE = re.compile(r"b-[a-z2-7]{26}")
OrderKey = tuple[str, UUID | None]
"""A shop, and an order of it, if the address names one."""
FindBounced = Callable[[Connection, str], Awaitable[OrderKey | None]]
"""Function that returns whose mail a bounce address belongs to; None for an unknown one."""


@dataclass(frozen=True, slots=True)
class Destination:
    """An accepted recipient, in lower case."""

    address: str
    shop: str
    order_id: UUID | None = None


async def find(
    connection: Connection,
    address: str,
    domain: str,
    shops: Iterable[ShopProfile],
    find_bounced: FindBounced | None,
) -> Destination | None:
    """Return the destination of an envelope's recipient; None when nobody is there, so that it gets a 550."""
    wanted = address.strip().lower()
    local, _, at = wanted.rpartition("@")
    place: OrderKey | None = None
    if at == domain and (hashed := token_hash(wanted)) is not None:
        place = await _find_thread(connection, hashed)
    elif at == domain and _BOUNCE.fullmatch(local) and find_bounced is not None:
        place = await find_bounced(connection, wanted)
    else:
        place = next(((shop.shop, None) for shop in shops if wanted in _addresses(shop)), None)
    return Destination(wanted, *place) if place else None


def is_bounce_address(address: str) -> bool:
    """Return whether bounces go to this address."""
    return _BOUNCE.fullmatch(address.rpartition("@")[0].lower()) is not None


async def _find_thread(connection: Connection, hashed: bytes) -> OrderKey | None:
    row = await connection.fetchrow(
        """SELECT shop, order_id FROM participant JOIN addressee USING (shop, order_id)
           WHERE token_hash = $1 AND revoked_at IS NULL AND deleted_at IS NULL""",
        hashed,
    )
    return (row["shop"], row["order_id"]) if row else None


def _addresses(shop: ShopProfile) -> set[str]:
    given = (shop.from_email, shop.reply_to, shop.support_email)
    return {address.lower() for address in given if address}
