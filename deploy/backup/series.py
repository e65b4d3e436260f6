"""Numbers of invoices and credit notes after a restore: none that a customer may have is given out again.

A backup does not know how many documents were issued after it. A number that is used twice can't be put right, a gap
can be explained; so a person states the last number of each series, and the numbers between are recorded as a gap.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from contracts.payments.invoices import InvoiceKind
from deploy.backup.filling import fetch
from deploy.backup.restore_state import open_database
from deploy.cli.failures import NotConfigured, Refused

DAY = timedelta(days=1)
REASON = "issued after the backup that was restored"
_SPELT = re.compile(r"([a-z0-9-]{1,63})/(invoice|credit_note)/(\d{4})=(\d{1,9})")
_KNOWN = """
SELECT shop, kind, year, last FROM invoice_series
UNION SELECT i.shop, k.kind, y.year, 0 FROM invoicing i CROSS JOIN unnest($1::text[]) AS k (kind)
    CROSS JOIN unnest($2::int[]) AS y (year)
    WHERE NOT EXISTS (SELECT FROM invoice_series s WHERE (s.shop, s.kind, s.year) = (i.shop, k.kind, y.year))"""


class SeriesName(NamedTuple):
    """A series: its shop, its kind of document, its year."""

    shop: str
    kind: str
    year: int

    def __str__(self) -> str:
        return f"{self.shop}/{self.kind}/{self.year}"


class Gap(NamedTuple):
    """Numbers of a series that have no document here."""

    series: SeriesName
    first: int
    last: int


def stated(words: Sequence[str]) -> dict[SeriesName, int]:
    """Return the last numbers by series from `SHOP/KIND/YEAR=NUMBER`. Raises NotConfigured."""
    found = {}
    for word in words:
        spelt = _SPELT.fullmatch(word)
        if spelt is None:
            raise NotConfigured(f"{word!r} is not a last number; give one such as maison/invoice/2026=117")
        shop, kind, year, number = spelt.groups()
        found[SeriesName(shop, kind, int(year))] = int(number)
    return found


async def known_series(url: str, taken_at: datetime, now: datetime) -> dict[SeriesName, int]:
    """Return the restored last number of each series that may have had documents after the backup. Years end at
    another time in other time zones, so those of the day before and after count too."""
    years = list(range((taken_at - DAY).year, (now + DAY).year + 1))
    rows = await fetch("payments", url, _KNOWN, [kind.value for kind in InvoiceKind], years)
    return {
        SeriesName(row["shop"], row["kind"], row["year"]): row["last"] for row in rows if row["year"] in years
    }


def gaps_of(known: Mapping[SeriesName, int], given: Mapping[SeriesName, int], is_none: bool) -> list[Gap]:
    """Return the gaps to record. Raises Refused naming each series without a stated number, and each number that is
    lower than the restored one."""
    if unknown := sorted(set(given) - set(known)):
        raise NotConfigured(
            f"there is no series {', '.join(map(str, unknown))}; there are {', '.join(map(str, sorted(known)))}"
        )
    if not is_none and (missing := sorted(set(known) - set(given))):
        words = " ".join(f"--last-number {one}={known[one]}" for one in missing)
        raise Refused(
            "state the last number that was given out in each of these series; the numbers here are those of the "
            f"backup: {words}. If no document was issued after the backup, --no-documents-since"
        )
    if lower := sorted(one for one in given if given[one] < known[one]):
        words = ", ".join(f"{one} has {known[one]}, not {given[one]}" for one in lower)
        raise Refused(f"the last number can't be lower than the backup's: {words}")
    return [Gap(one, known[one] + 1, given[one]) for one in sorted(given) if given[one] > known[one]]


async def settle(
    url: str, taken_at: datetime, given: Mapping[SeriesName, int], actor: str, *, is_none: bool
) -> None:
    """Record the gaps of this restore. Raises Refused until every series has a stated number.

    A gap of an earlier restore, which the backup holds, states nothing about what was issued after the backup.
    """
    known = await known_series(url, taken_at, datetime.now(UTC))
    ended = {gap.series: gap.last for gap in await recorded(url) if gap.series in known}
    new = {one: number for one, number in given.items() if ended.get(one) != number}
    await record(url, gaps_of(known, {**ended, **new}, is_none), actor)


async def record(url: str, gaps: Sequence[Gap], actor: str) -> None:
    """Record the gaps and raise their series, all or none."""
    connection: Any = await open_database("payments", url)
    try:
        async with connection.transaction():
            for gap in gaps:
                await connection.execute(
                    """INSERT INTO invoice_gap (shop, kind, year, first, last, reason, recorded_by, recorded_at)
                       VALUES ($1, $2, $3, $4, $5, $6, $7, now())""",
                    *gap.series,
                    gap.first,
                    gap.last,
                    REASON,
                    actor,
                )
                await connection.execute(
                    """INSERT INTO invoice_series (shop, kind, year, last, last_on)
                       VALUES ($1, $2, $3, $4, current_date - 1)
                       ON CONFLICT (shop, kind, year) DO UPDATE SET last = $4""",
                    *gap.series,
                    gap.last,
                )
    finally:
        await connection.close()


async def recorded(url: str) -> list[Gap]:
    """Return the gaps that were recorded since the database was last restored."""
    rows = await fetch(
        "payments",
        url,
        """SELECT shop, kind, year, first, last FROM invoice_gap
           WHERE recorded_at >= (SELECT max(restored_at) FROM msg.restore) ORDER BY shop, kind, year, first""",
    )
    return [Gap(SeriesName(row["shop"], row["kind"], row["year"]), row["first"], row["last"]) for row in rows]
