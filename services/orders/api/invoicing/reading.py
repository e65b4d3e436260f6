"""A shop's invoicing settings as payments has them, read at the time of the request: nothing of them is stored here.

Invariant: `version` belongs to the `settings` beside it, so that a change based on them is refused once they were
changed by somebody else.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field, ValidationError

from contracts.message import Reason, Timestamp
from contracts.payments.invoices import InvoicingSettings
from services.chassis.http.problems import Problem
from services.orders.api.context import RequestContext
from services.orders.api.owners.reading import read_owned


class WaitingInvoice(BaseModel):
    """An order whose invoice waits for missing or wrong mentions."""

    order_id: UUID
    code: str
    placed_at: Timestamp


class FailedInvoice(BaseModel):
    """An order whose documents could not be issued, and why."""

    order_id: UUID
    code: str
    failure: str
    failed_at: Timestamp


class InvoicingResponse(BaseModel):
    """A shop's invoicing settings; `settings.logo` is always empty, since the stored picture is not returned."""

    version: int = Field(
        ge=0,
        description="To be sent with a change; raised by each. 0: nothing was set yet, these are defaults.",
    )
    settings: InvoicingSettings
    has_logo: bool = Field(description="Send `keeps_logo` with a change to keep it.")
    missing: list[str] = Field(
        description="Compulsory mentions that are empty: nothing is issued meanwhile. Empty at version 0."
    )
    invalid: list[Reason] = Field(
        description="What is wrong with a value that an earlier version accepted: nothing is issued meanwhile."
    )
    doubtful: list[Reason] = Field(
        default=[],
        description="What contradicts another value, such as a VAT number with another SIREN than the SIRET: to be "
        "looked at; nothing is held back for it.",
    )
    waiting: list[WaitingInvoice] = Field(description="At most 100, the first placed first.")
    failed: list[FailedInvoice] = Field(description="At most 100, the first failed first.")


async def read_invoicing(context: RequestContext) -> InvoicingResponse:
    """Return the invoicing settings of the caller's shop. Raises the 503 problem while payments does not answer, the
    409 one while payments, or orders, can't read what a newer version stored."""
    found = await read_owned(context, "payments", "/internal/invoicing")
    return InvoicingResponse(
        version=found["version"],
        settings=_readable(found["settings"]),
        has_logo=found.get("has_logo", False),
        missing=found["missing"],
        invalid=found.get("invalid", []),
        doubtful=found.get("doubtful", []),
        waiting=found["waiting"],
        failed=found["failed"],
    )


def _readable(stored: Mapping[str, Any] | None) -> InvoicingSettings:
    try:
        return InvoicingSettings.model_validate(stored or {})
    except ValidationError as error:
        names = ", ".join(
            sorted({str(one["loc"][0]) for one in error.errors(include_input=False) if one["loc"]})
        )
        why = f"The invoicing settings can't be read by this version ({names}): finish the upgrade of orders."
        raise Problem(409, "settings_unreadable", why) from error
