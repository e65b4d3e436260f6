"""What keeps a shop's invoices back, as payments has it: wrong or missing mentions, a first day to come, failures.

Nothing is stored here. While payments does not answer nothing is shown: its page and the home page report it
themselves. That it can't read the settings is shown on their page only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from services.orders.api.owners.clients import ServiceUnavailable
from services.orders.backoffice.language.mention_texts import listed
from services.orders.backoffice.language.times import read_day
from services.orders.backoffice.language.translating import gettext, ngettext, number
from services.orders.backoffice.web.page_context import PageContext

MOST = 100
"""How many orders payments lists at most."""


@dataclass(frozen=True)
class InvoicingState:
    """Why orders of a shop have no invoice, or invoices no PDF. `mentions` are labels; `first_day` is one to come."""

    mentions: str
    waiting: int
    failed: int
    failed_pdfs: int
    first_day: date | None

    @property
    def sentences(self) -> str:
        """The reason and how many orders wait; empty when no mention keeps anything back."""
        if not self.mentions:
            return ""
        why = gettext(
            "No invoice is issued while these are missing or incorrect: %(names)s.", names=self.mentions
        )
        return f"{why} {self._waiting()}".strip()

    def _waiting(self) -> str:
        if self.waiting >= MOST:
            return gettext(
                "%(count)s or more orders are waiting for their invoices.", count=number(self.waiting)
            )
        return (
            ngettext(
                "%(count)s order is waiting for its invoice.",
                "%(count)s orders are waiting for their invoices.",
                self.waiting,
            )
            if self.waiting
            else ""
        )


async def read_invoicing_state(context: PageContext) -> InvoicingState | None:
    """Return what keeps the shop's invoices back; None when invoicing is off or payments does not answer."""
    answer = await context.app_state.clients.get("payments", "/internal/invoicing", shop=context.shop)
    if isinstance(answer, ServiceUnavailable) or answer.status != 200:
        return None
    body: Mapping[str, Any] = answer.body
    settings = body["settings"]
    if not settings or not settings["is_on"]:
        return None
    wrong = [one["field"].removeprefix("settings.") for one in body["invalid"]]
    return InvoicingState(
        mentions=listed([*body["missing"], *(name for name in wrong if name not in body["missing"])]),
        waiting=len(body["waiting"]),
        failed=len(body["failed"]),
        failed_pdfs=body.get("failed_pdfs", 0),
        first_day=first_day_to_come(context, settings),
    )


def first_day_to_come(context: PageContext, settings: Mapping[str, Any]) -> date | None:
    """Return the first day of a shop's invoicing settings while it is in the future, in their time zone."""
    if not settings.get("first_day"):
        return None
    first_day: date = read_day(settings["first_day"])
    try:
        today = context.locale.now.astimezone(ZoneInfo(settings["time_zone"])).date()
    except (ValueError, OSError, KeyError):
        today = context.locale.now.date()
    return first_day if first_day > today else None
