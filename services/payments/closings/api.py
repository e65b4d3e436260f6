"""Closings over HTTP for the back office: the days of a year, its months, and what is not closed yet."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.chassis.http.problems import problem
from services.chassis.runtime.hub import Hub
from services.payments.closings import store
from services.payments.closings.closing import bounds

FIRST_YEAR, LAST_YEAR = 1970, 2200
Total = dict[str, Any]


class Closings:
    """The routes of one process."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def shown(self, request: Request) -> Response:
        """Return a shop's year: its days, months and the year itself, and what was recorded since the last closing."""
        shop, now = request.query_params.get("shop"), self._hub.clock.now()
        year = request.query_params.get("year", str(now.year))
        if not shop:
            return problem(422, "shop is missing: ?shop=…")
        if not year.isdecimal() or not FIRST_YEAR <= int(year) <= LAST_YEAR:
            return problem(422, f"year is a number from {FIRST_YEAR} to {LAST_YEAR}")
        async with self._hub.acquire() as connection:
            rows = await store.read_closings(connection, shop, date(int(year), 1, 1), date(int(year), 12, 31))
            last = await store.read_last(connection, shop)
            since = (
                bounds(last["day"] + timedelta(days=1))[0] if last else datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
            )
            pending = await store.read_totals(connection, shop, since, now + timedelta(days=1))
            is_chained = not await store.has_unchained(connection, shop)
        days = [_day(row) for row in rows]
        return JSONResponse(
            {
                "days": days,
                "months": sums(days, 7),
                "years": sums(days, 4),
                "pending": {"since": since.date().isoformat(), "totals": [dict(row) for row in pending]},
                "is_chained": is_chained,
            }
        )


def _day(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "period": row["day"].isoformat(),
        "accounts": row["accounts"],
        "entries": row["entries"],
        "totals": json.loads(row["totals"]),
        "hash": row["hash"].hex(),
        "closed_at": row["closed_at"].isoformat(),
    }


def sums(days: Iterable[Mapping[str, Any]], length: int) -> list[dict[str, Any]]:
    """Return days summed by the first `length` characters of their date, the latest first: months (7), years (4).

    The hash of a period is that of its last closed day: it covers all days before.
    """
    periods: dict[str, dict[str, Any]] = {}
    for day in days:
        name = day["period"][:length]
        period = periods.setdefault(
            name, {"period": name, "days": 0, "entries": 0, "totals": {}, "hash": day["hash"]}
        )
        period["days"] += 1
        period["entries"] += day["entries"]
        for total in day["totals"]:
            _add(period["totals"], total)
    return [
        {**one, "totals": [one["totals"][key] for key in sorted(one["totals"])]} for one in periods.values()
    ]


def _add(totals: dict[tuple[str, str], Total], total: Total) -> None:
    known = totals.setdefault((total["currency"], total["kind"]), {**total, "entries": 0, "amount_minor": 0})
    known["entries"] += total["entries"]
    known["amount_minor"] += total["amount_minor"]
