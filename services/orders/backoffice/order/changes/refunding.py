"""From what was typed on the page of a refund to what is asked of payments, and what that would do. Pure.

A refund is for *articles* or for *an amount*, never for both unseen: with an amount no unit is touched; with articles
the amount is what they cost unless another is typed, and then the preview asks whether that is meant.
What a form asks depends on its fields alone (see `backoffice/order/asking.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.payments import RefundCause, RefundState, RefundVerdict
from services.orders.api.actions.refund_requests import (
    ConfirmationRequest,
    RefundRequest,
    ReversalRequest,
    SettlementRequest,
)
from services.orders.api.actions.refund_rules import position_of, units_refunded
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.order.asking import units_typed
from services.orders.backoffice.order.changes.mail_choice import told_asked
from services.orders.backoffice.order.refundable import refundable, worth_of
from services.orders.backoffice.order.steps import parcels_to_ship
from services.orders.changes.previewing import ParcelTouched, touched
from services.orders.listing.documents import OrderResponse, ParcelResponse

ITEMS, AMOUNT = "items", "amount"
"""The two ways to say what is refunded, as the form's field `what`."""


@dataclass(frozen=True)
class RefundPreview:
    """What a refund would do. Units by line; amounts in minor units.

    `worth_minor` is what the chosen articles cost, None when an amount is refunded.
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

    @property
    def differs(self) -> bool:
        """Whether the amount is not what the articles cost."""
        return self.worth_minor is not None and self.worth_minor != self.amount_minor


def refund_asked(currency: str, form: Form) -> RefundRequest:
    """Money that goes back, with the units it is for. Raises Invalid."""
    units = _units_chosen(form)
    amount = form.amount_minor("amount", currency)
    if amount is None or amount <= 0:
        raise Invalid(amount=gettext("The amount must be more than zero."))
    if form["mode"] == "sent" and form["reference"].strip():
        raise Invalid(
            reference=gettext("A refund that is sent gets its reference from the provider: leave it out.")
        )
    lines = [
        {"line": line, "quantity": quantity, "restock": form.ticked(f"restock-{line}")}
        for line, quantity in units.items()
    ]
    told = told_asked(form)
    if units:
        told["cause"] = RefundCause.CREDIT
    return form.model(
        RefundRequest,
        amount_minor=amount,
        currency=currency,
        lines=lines,
        reason=form.text("reason", 2000),
        **told,
    )


def preview_of(order: OrderResponse, asked: RefundRequest) -> RefundPreview:
    """What this refund would do, as far as the order is known here."""
    found = units_refunded(order, asked.units, asked.cause)
    ticked = {one.line for one in asked.lines if one.restock}
    is_credit = asked.cause is RefundCause.CREDIT
    return RefundPreview(
        amount_minor=asked.amount_minor,
        worth_minor=worth_of(order, asked.units) if asked.lines else None,
        credited_minor=asked.amount_minor if is_credit else 0,
        balance_after_minor=order.balance_minor + (0 if is_credit else asked.amount_minor),
        cancelled=found.cancelled,
        restocked={line: units for line, units in found.left.items() if line in ticked},
        kept={line: units for line, units in found.left.items() if line not in ticked},
        parcels=_opened(order, found.cancelled),
        cancels_order=found.cancels_order,
    )


def mail_context(order: OrderResponse, asked: RefundRequest) -> dict[str, Any]:
    """What the mail about this refund shows."""
    told = asked.model_dump(mode="json", include={"mode", "amount_minor", "currency", "public_comment"})
    told["state"] = RefundState.CONFIRMED if asked.reference else None
    names = {str(line.line): line.description for line in order.lines if line.line in asked.units}
    return {**told, "lines": [dict(one) for one in asked.lines], "names": names}


def all_units(order: OrderResponse) -> dict[str, str]:
    """The form's quantities with everything that can be refunded chosen."""
    return {f"quantity-{line}": str(units) for line, units in refundable(order).most.items() if units}


def confirmation_asked(form: Form) -> ConfirmationRequest:
    """The reference of a refund that was recorded here. Raises Invalid."""
    return form.model(ConfirmationRequest)


def settlement_asked(form: Form) -> SettlementRequest:
    """A person's word on an uncertain refund. Raises Invalid."""
    is_made, has_reference = form["verdict"] == RefundVerdict.MADE, bool(form["provider_reference"].strip())
    if is_made and not has_reference:
        raise Invalid(provider_reference=gettext("Enter the refund’s reference, as the provider shows it."))
    if has_reference and not is_made:
        raise Invalid(
            provider_reference=gettext("Only a refund that was made has a reference: leave it out.")
        )
    return form.model(SettlementRequest, reason=form.text("reason", 2000))


def reversal_asked(form: Form) -> ReversalRequest:
    """Why a payment is taken back. Raises Invalid."""
    return form.model(ReversalRequest)


def _units_chosen(form: Form) -> dict[int, int]:
    if form["what"] == AMOUNT:
        return {}
    if form["what"] != ITEMS:
        raise Invalid(what=gettext("Choose one of the list."))
    if not (units := units_typed(form, "quantity")):
        raise Invalid(what=gettext("Choose at least one unit."))
    return units


def _opened(order: OrderResponse, cancelled: Mapping[int, int]) -> list[ParcelTouched]:
    here = [order.parcels[index] for index in parcels_to_ship(order)]
    standing = [
        (one.parcel_id, one.number, _units_in(one)) for one in sorted(here, key=_number, reverse=True)
    ]
    return touched(standing, [position_of(line) for line in order.lines], cancelled)


def _number(parcel: ParcelResponse) -> int:
    return parcel.number


def _units_in(parcel: ParcelResponse) -> dict[int, int]:
    return {part.line: part.quantity for part in parcel.lines}
