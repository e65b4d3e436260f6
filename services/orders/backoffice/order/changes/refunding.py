"""Refund requests from the forms of the refund page, and their effects. Pure.

A refund is for *articles* or for *an amount*, never for both implicitly: with an amount no unit is touched;
with articles the amount is their price unless another is typed, and then the preview asks for confirmation. A
request depends only on the form's fields (see `backoffice/order/form_requests.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from contracts.money import LARGEST_AMOUNT_MINOR
from contracts.payments.refunds import RefundCause, RefundState, RefundVerdict
from services.orders.api.actions.refund_requests import (
    ConfirmationRequest,
    RefundRequest,
    ReversalRequest,
    SettlementRequest,
)
from services.orders.api.actions.refund_rules import position_of, units_refunded
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.order.changes.mail_choice import notification_request
from services.orders.backoffice.order.form_requests import units_typed
from services.orders.backoffice.order.refundable import refundable, worth_of
from services.orders.backoffice.order.steps import parcels_to_ship
from services.orders.changes.previewing import ParcelTouched, touched
from services.orders.listing.documents import OrderResponse
from services.orders.listing.order_parts import ParcelResponse

ITEMS, AMOUNT = "items", "amount"
"""The two kinds of refund, as values of the form's field `what`."""


@dataclass(frozen=True)
class RefundPreview:
    """The effects of a refund. Units by line; amounts in minor units.

    `worth_minor` is the price of the chosen articles, None when an amount is refunded.
    """

    amount_minor: int
    worth_minor: int | None
    credited_minor: int
    balance_after_minor: int
    cancelled: Mapping[int, int]
    restocked: Mapping[int, int]
    kept: Mapping[int, int]
    parcels: Sequence[ParcelTouched]
    cancels_order: bool
    payments: int = 1
    """The number of payments from which the refund is made, one provider refund each."""

    @property
    def differs(self) -> bool:
        """Return whether the amount differs from the price of the articles."""
        return self.worth_minor is not None and self.worth_minor != self.amount_minor


def refund_request(currency: str, form: Form) -> RefundRequest:
    """Return the refund, with the units it is for. Raises Invalid."""
    units = _units_chosen(form)
    amount = form.amount_minor("amount", currency, LARGEST_AMOUNT_MINOR)
    if amount is None or amount <= 0:
        raise Invalid(amount=gettext("The amount must be more than zero."))
    if form["mode"] == "sent" and form["reference"].strip():
        raise Invalid(
            reference=gettext(
                "A refund sent to the provider gets its reference from the provider: leave this field empty."
            )
        )
    lines = [
        {"line": line, "quantity": quantity, "restock": form.ticked(f"restock-{line}")}
        for line, quantity in units.items()
    ]
    notification = notification_request(form)
    if units:
        notification["cause"] = RefundCause.CREDIT
    return form.model(
        RefundRequest,
        amount_minor=amount,
        currency=currency,
        lines=lines,
        reason=form.text("reason", 2000),
        **notification,
    )


def preview_of(order: OrderResponse, request: RefundRequest) -> RefundPreview:
    """Return the effects of this refund, as far as the order is known here."""
    found = units_refunded(order, request.units, request.cause)
    ticked = {one.line for one in request.lines if one.restock}
    is_credit = request.cause is RefundCause.CREDIT
    return RefundPreview(
        amount_minor=request.amount_minor,
        worth_minor=worth_of(order, request.units) if request.lines else None,
        credited_minor=request.amount_minor if is_credit else 0,
        balance_after_minor=order.balance_minor + (0 if is_credit else request.amount_minor),
        cancelled=found.cancelled,
        restocked={line: units for line, units in found.left.items() if line in ticked},
        kept={line: units for line, units in found.left.items() if line not in ticked},
        parcels=_opened(order, found.cancelled),
        cancels_order=found.cancels_order,
        payments=payment_count(order, request),
    )


def payment_count(order: OrderResponse, request: RefundRequest) -> int:
    """Return from how many payments a sent refund is made: one if it is chosen or covers the amount, else the
    oldest ones that cover it together.
    """
    left = [one.left_minor for one in reversed(refundable(order).sendable)]
    if request.entry_id is not None or not left or max(left) >= request.amount_minor:
        return 1
    return sum(1 for before in accumulate(left[:-1], initial=0) if before < request.amount_minor)


def mail_context(order: OrderResponse, request: RefundRequest) -> dict[str, Any]:
    """Return the values for the mail about this refund."""
    context = request.model_dump(mode="json", include={"mode", "amount_minor", "currency", "public_comment"})
    context["state"] = RefundState.CONFIRMED if request.reference else None
    names = {str(line.line): line.description for line in order.lines if line.line in request.units}
    return {**context, "lines": [dict(one) for one in request.lines], "names": names}


def all_units(order: OrderResponse) -> dict[str, str]:
    """Return the form's quantities with everything chosen that can be refunded."""
    return {f"quantity-{line}": str(units) for line, units in refundable(order).most.items() if units}


def confirmation_request(form: Form) -> ConfirmationRequest:
    """Return the confirmation, with its reference, of a refund that was recorded here. Raises Invalid."""
    return form.model(ConfirmationRequest)


def settlement_request(form: Form) -> SettlementRequest:
    """Return a user's decision on an uncertain refund. Raises Invalid."""
    is_made, has_reference = form["verdict"] == RefundVerdict.MADE, bool(form["provider_reference"].strip())
    if is_made and not has_reference:
        raise Invalid(provider_reference=gettext("Enter the refund’s reference, as the provider shows it."))
    if has_reference and not is_made:
        raise Invalid(
            provider_reference=gettext("Only a refund that was made has a reference: leave it out.")
        )
    return form.model(SettlementRequest, reason=form.text("reason", 2000))


def reversal_request(form: Form) -> ReversalRequest:
    """Return the reversal of a payment, with its reason. Raises Invalid."""
    return form.model(ReversalRequest)


def _units_chosen(form: Form) -> dict[int, int]:
    if form["what"] == AMOUNT:
        return {}
    if form["what"] != ITEMS:
        raise Invalid(what=gettext("Choose an option from the list."))
    if not (units := units_typed(form, "quantity")):
        raise Invalid(what=gettext("Choose at least one unit."))
    return units


def _opened(order: OrderResponse, cancelled: Mapping[int, int]) -> list[ParcelTouched]:
    here = [order.parcels[index] for index in parcels_to_ship(order)]
    parcels = [(one.parcel_id, one.number, _units_in(one)) for one in sorted(here, key=_number, reverse=True)]
    return touched(parcels, [position_of(line) for line in order.lines], cancelled)


def _number(parcel: ParcelResponse) -> int:
    return parcel.number


def _units_in(parcel: ParcelResponse) -> dict[int, int]:
    return {part.line: part.quantity for part in parcel.lines}
