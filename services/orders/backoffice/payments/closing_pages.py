"""Closings («Clôtures»): each day of the ledger with its totals and its seal, and the totals of months and years.

Payments owns the closings; they are read there and cannot be changed here.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from starlette.responses import Response

from services.orders.api.owners.clients import ServiceUnavailable
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.language.times import timestamps_read
from services.orders.backoffice.order.words import LEDGER_KINDS
from services.orders.backoffice.payments.pages import tabs_of_payments
from services.orders.backoffice.payments.words import kind_words
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()
LIST = "/payments/closings"
FIRST_YEAR = 2000


@pages.get(LIST, Permission.PAYMENTS_VIEW)
async def show_closings(context: PageContext) -> Response:
    """Show a year: its months, its days, and the entries not closed yet."""
    this_year = context.locale.now.year
    year = _year(context.query.get("year"), this_year)
    answer = await context.app_state.clients.get(
        "payments", "/internal/closings", shop=context.shop, year=str(year)
    )
    down = answer if isinstance(answer, ServiceUnavailable) else None
    body: Mapping[str, Any] = {} if isinstance(answer, ServiceUnavailable) else answer.body
    return context.render(
        "payments/closings.html",
        down=down,
        year=year,
        earlier=year - 1 if year > FIRST_YEAR else None,
        later=year + 1 if year < this_year else None,
        years=[_sorted(one) for one in body.get("years", [])],
        months=[
            {**_sorted(one), "month": date.fromisoformat(f"{one['period']}-01")}
            for one in body.get("months", [])
        ],
        days=[_day(one) for one in body.get("days", [])],
        pending=_sorted(body["pending"]) if body.get("pending") else None,
        is_chained=body.get("is_chained", True),
        kinds=kind_words(),
        tabs_shown=tabs_of_payments(LIST),
    )


def _day(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**_sorted(timestamps_read(row, "closed_at")), "day": date.fromisoformat(row["period"])}


def _sorted(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a period with its totals by currency, in the sequence in which an order's ledger fills."""
    kinds = list(LEDGER_KINDS)
    place = {kind: number for number, kind in enumerate(kinds)}
    totals = sorted(row["totals"], key=lambda one: (one["currency"], place.get(one["kind"], len(kinds))))
    return {**row, "totals": totals}


def _year(text: str | None, this_year: int) -> int:
    """Return the year in an address. Raises Missing for an invalid one."""
    if text is None:
        return this_year
    if not text.isdecimal() or not FIRST_YEAR <= int(text[:5]) <= this_year:
        raise Missing
    return int(text)
