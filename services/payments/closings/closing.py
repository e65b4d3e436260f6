"""The day's closings of a shop: what was recorded on a UTC day, sealed by a hash over the accounts it touched.

A closing covers the last entry of each account that was recorded on its day, and by that entry's hash all
earlier ones of the account; its own hash covers the closing before it. So an entry that is changed, removed or
slipped in afterwards contradicts a closing, even if the account's chain was recomputed. Days are closed in
order and without gaps, empty ones too. Closing a day takes one transaction under a lock of the shop: a repeat,
a second process or a death in between leaves one closing or none.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from datetime import time as day_time
from hashlib import sha256
from typing import Any

from services.chassis.failpoints import reach
from services.chassis.messaging.process import Process
from services.chassis.storage.database import Connection, transaction
from services.payments.accounts import chain
from services.payments.closings import store
from services.payments.closings.store import ClosingRow

WORKER = "closings"
IDLE_SECONDS = 60.0
GRACE = timedelta(minutes=10)
"""The time after midnight before the day is closed: longer than any transaction that began before may last."""
SEALED = ("shop", "day", "accounts", "entries", "totals", "heads", "closed_at")
"""The columns of a closing that its hash covers, in this order, after the hash of the closing before."""


async def close_days(process: Process) -> bool:
    """Close the next day of each shop that is over. Return whether there may be more.

    Nothing is closed while the database's clock is in doubt: a day closed too early can't be opened again.
    """
    if process.is_clock_doubtful:
        return False
    async with process.acquire() as connection:
        shops = await store.read_shops(connection)
    closed = [await close_next_day(process, shop) for shop in shops]
    return any(closed)


async def close_next_day(process: Process, shop: str) -> bool:
    """Close the shop's oldest day that is over and not closed yet. Return whether there was one."""
    now = process.clock.now()
    async with process.acquire() as connection, transaction(connection):
        if not await store.lock_shop(connection, shop):
            return False
        last = await store.read_last(connection, shop)
        day = await _day_after(connection, shop, last)
        if day is None or not is_over(day, now) or await store.has_unchained(connection, shop):
            return False
        previous = last["hash"] if last else chain.FIRST
        await store.add_closing(connection, await _closing(connection, shop, day, previous, now))
        reach("before_commit", "closing")
    return True


def is_over(day: date, now: datetime) -> bool:
    """Return whether no entry can be recorded on this UTC day any more."""
    return now >= bounds(day)[1] + GRACE


def bounds(day: date) -> tuple[datetime, datetime]:
    """Return the start of a UTC day, and that of the next one."""
    first = datetime.combine(day, day_time(), UTC)
    return first, first + timedelta(days=1)


def seal(previous: bytes, closing: Mapping[str, Any]) -> bytes:
    """Return the hash of a closing (columns SEALED) after the closing with the hash `previous`."""
    values = (closing[name] for name in SEALED)
    return chain.digest(previous, (one.hex() if isinstance(one, bytes) else one for one in values))


async def heads_of(connection: Connection, shop: str, day: date) -> tuple[bytes, int]:
    """Return the hash over the heads of the accounts that the day touched, and their number."""
    digest, accounts = sha256(), 0
    async for row in store.iterate_heads(connection, shop, *bounds(day)):
        digest.update(b"%b%d:%b" % (row["order_id"].bytes, row["number"], row["hash"]))
        accounts += 1
    return digest.digest(), accounts


def totals_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the day's totals as the closing keeps them."""
    return json.dumps([dict(row) for row in rows])


async def _day_after(connection: Connection, shop: str, last: Mapping[str, Any] | None) -> date | None:
    if last is not None:
        following: date = last["day"] + timedelta(days=1)
        return following
    first = await store.first_recording(connection, shop)
    return first.astimezone(UTC).date() if first else None


async def _closing(
    connection: Connection, shop: str, day: date, previous: bytes, now: datetime
) -> ClosingRow:
    totals = await store.read_totals(connection, shop, *bounds(day))
    heads, accounts = await heads_of(connection, shop, day)
    closing = ClosingRow(
        shop=shop,
        day=day,
        accounts=accounts,
        entries=sum(row["entries"] for row in totals),
        totals=totals_text(totals),
        heads=heads,
        hash=chain.FIRST,
        closed_at=now,
    )
    return closing._replace(hash=seal(previous, closing._asdict()))
