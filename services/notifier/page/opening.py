"""What a token opens: an order, or nothing.

A link opens its order while that has the address its mail went to, and until it expires; of a deleted order
it opens nothing. Both follow from the present rows, so nothing has to be revoked. The response is the
same for a link that never was and one that ended.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.chassis.storage.database import Connection
from services.notifier.links.link import expires_at, hash_of
from services.notifier.page import store


class LinkState(StrEnum):
    """State of a link."""

    OPEN = "open"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    REVOKED = "revoked"


_NO_ORDER = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Opened:
    """A link and the customer of its order."""

    state: LinkState
    shop: str = ""
    order_id: UUID = _NO_ORDER
    code: str = ""
    name: str = ""
    email: str = ""
    locale: str = ""
    is_deleted: bool = False

    @property
    def status(self) -> int:
        """Return the HTTP status of a page behind the link."""
        return {LinkState.OPEN: 200, LinkState.UNKNOWN: 404}.get(self.state, 410)

    @property
    def has_address(self) -> bool:
        """Return whether a new link can be sent to the order's own address."""
        return bool(self.email) and not self.is_deleted


UNKNOWN = Opened(LinkState.UNKNOWN)


async def open_link(connection: Connection, token: str, now: datetime) -> Opened:
    """Return what the token opens now."""
    hashed = hash_of(token)
    row = await store.read_link(connection, hashed) if hashed else None
    return _opened(row, now) if row else UNKNOWN


def _opened(row: store.Row, now: datetime) -> Opened:
    is_deleted = row["deleted_at"] is not None
    return Opened(
        state=link_state(
            is_own=not is_deleted and _is_same(row["recipient"], row["email"]),
            made_at=row["made_at"],
            last_event_at=row["last_event_at"],
            now=now,
        ),
        shop=row["shop"],
        order_id=row["order_id"],
        code=row["code"],
        name=row["name"],
        email=row["email"],
        locale=row["locale"],
        is_deleted=is_deleted,
    )


def link_state(
    *, is_own: bool, made_at: datetime, last_event_at: datetime | None, now: datetime
) -> LinkState:
    """Return the state of a link. `is_own`: its mail went to the address that the order has now."""
    if not is_own:
        return LinkState.REVOKED
    return LinkState.OPEN if now < expires_at(made_at, last_event_at) else LinkState.EXPIRED


def _is_same(sent_to: str, address: str) -> bool:
    return bool(address) and sent_to.lower() == address.lower()
