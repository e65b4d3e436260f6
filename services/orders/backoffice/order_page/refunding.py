"""From what was typed on the page of a refund to what is asked of payments. Pure.

What a form asks depends on its fields alone (see `asking.py`).
"""

from services.orders.backoffice.forms import Form, Invalid
from services.orders.backoffice.order_page.asking import units_typed
from services.orders.backoffice.translating import gettext
from services.orders.refund_asking import ConfirmationAsked, RefundAsked, ReversalAsked


def refund_asked(currency: str, form: Form) -> RefundAsked:
    """Money that goes back, with the units it is for. Raises Invalid."""
    amount = form.amount_minor("amount", currency)
    if amount is None or amount <= 0:
        raise Invalid(amount=gettext("The amount must be more than zero."))
    if form["mode"] == "sent" and form["reference"].strip():
        raise Invalid(
            reference=gettext("A refund that is sent gets its reference from the provider: leave it out.")
        )
    lines = [
        {"line": line, "quantity": quantity, "restock": form.ticked(f"restock-{line}")}
        for line, quantity in units_typed(form, "quantity").items()
    ]
    return form.model(
        RefundAsked, amount_minor=amount, currency=currency, lines=lines, reason=form.text("reason", 2000)
    )


def confirmation_asked(form: Form) -> ConfirmationAsked:
    """The reference of a refund that was recorded here. Raises Invalid."""
    return form.model(ConfirmationAsked)


def reversal_asked(form: Form) -> ReversalAsked:
    """Why a payment is taken back. Raises Invalid."""
    return form.model(ReversalAsked)
