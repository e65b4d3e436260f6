"""Refused sales: submissions that could not become an order, the reasons, and the order if a later one succeeded.

The storefront got the rejection; these pages show it to the shop, whose customer may have paid. Nothing is
changed here: a refused sale is corrected in the storefront and sent again.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.responses import Response

from contracts.message import Reason
from contracts.money import is_known
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.language.reasons import explain
from services.orders.backoffice.refused_sales import store
from services.orders.backoffice.web.back_links import BackLinks
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()
PAGE = 50
_AMOUNT = re.compile(r"-?[0-9]{1,18}")
"""A valid total: an invalid submission may have any text as its total."""


@pages.get("/refused-sales", Permission.ORDERS_VIEW)
async def show_refused(context: PageContext) -> Response:
    """Show a page of refused sales, the latest first."""
    back_links = BackLinks.of(context.query, "before")
    async with context.reading() as connection:
        rows = await store.read_refused(connection, context.shop, _place(back_links.here), PAGE + 1)
    shown = rows[:PAGE]
    next_place = f"{shown[-1]['refused_at'].isoformat()}~{shown[-1]['submission_id']}" if rows[PAGE:] else ""
    return context.render(
        "orders/refused.html",
        sales=[_sale(row) for row in shown],
        next_href=_href(back_links.on(next_place)) if next_place else "",
        previous_href=_href(back_links.back) if back_links.back is not None else "",
    )


def _sale(row: Mapping[str, Any]) -> dict[str, Any]:
    reasons = [Reason.model_validate(one) for one in json.loads(row["reasons"])]
    total, currency = row["total_minor"], row["currency"]
    has_total = bool(total and currency and _AMOUNT.fullmatch(total) and is_known(currency))
    return {
        **row,
        "total_minor": int(total) if has_total else None,
        "texts": Counter(explain(one) for one in reasons).most_common(),
        "reasons": [(one.field, one.message) for one in reasons],
    }


def _place(text: str) -> tuple[datetime, UUID] | None:
    """Return the cursor of the page. Raises Missing for a forged link."""
    if not text:
        return None
    timestamp, _, submission_id = text.partition("~")
    try:
        place = datetime.fromisoformat(timestamp), UUID(submission_id)
    except ValueError:
        raise Missing from None
    if place[0].tzinfo is None:
        raise Missing
    return place


def _href(values: Mapping[str, str]) -> str:
    query = urlencode({name: value for name, value in values.items() if value})
    return f"/refused-sales?{query}" if query else "/refused-sales"
