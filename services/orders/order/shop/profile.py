"""A shop's support block as staff changed it: a copy of the notifier's data, for pages and printed papers.

Invariant: of several versions the highest counts, whatever the order of arrival.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from services.chassis.storage.bulk import Bulk, Integer
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.orders.order.shop.cache import TtlCache

FIELDS = ("support_email", "support_phone", "opening_hours")


class ProfileRow(NamedTuple):
    shop: str
    version: Integer
    support_email: str | None
    support_phone: str | None
    opening_hours: str | None
    changed_by: str
    changed_at: datetime


_WRITE_PROFILES = Bulk(
    ProfileRow,
    """INSERT INTO shop_profile AS p ({columns})
       SELECT * FROM {rows}
       ON CONFLICT (shop) DO UPDATE SET
           version = excluded.version, support_email = excluded.support_email,
           support_phone = excluded.support_phone, opening_hours = excluded.opening_hours,
           changed_by = excluded.changed_by, changed_at = excluded.changed_at
       WHERE p.version < excluded.version""",
)


async def write_profiles(connection: Writer, rows: Sequence[ProfileRow]) -> None:
    """Insert or update copies of profiles; a row with a newer version is left unchanged."""
    await _WRITE_PROFILES.execute(connection, rows)


async def _read(connection: Connection, shop: str) -> ProfileRow | None:
    row = await connection.fetchrow("SELECT * FROM shop_profile WHERE shop = $1", shop)
    return ProfileRow(**row) if row else None


profile_of = TtlCache(_read)
"""Cache of a shop's changed profile, at most a few seconds old; None: it was never changed."""
