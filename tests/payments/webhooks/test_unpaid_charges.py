"""Money comes only from a state that says money."""

from typing import Any

import pytest

from tests.payments.builders import event, placed
from tests.payments.cashdesk import CashDesk

CHARGE = "ch_without_intent_1"


def _charge(status: str) -> dict[str, Any]:
    return {
        "id": CHARGE,
        "object": "charge",
        "amount": 5000,
        "amount_captured": 5000,
        "amount_refunded": 0,
        "captured": True,
        "paid": False,
        "currency": "eur",
        "created": 1_795_000_000,
        "metadata": {},
        "payment_intent": None,
        "status": status,
    }


@pytest.mark.parametrize("status", ["pending", "failed"])
async def test_a_later_change_of_an_unpaid_charge_brings_no_money(cashdesk: CashDesk, status: str) -> None:
    """`charge.updated` comes, for example, when somebody edits the description in Stripe's dashboard."""
    order = placed(5000, reference=CHARGE)
    await cashdesk.desk.deliver(order)
    await cashdesk.pay(event(f"charge.{status}", _charge(status), 1))
    await cashdesk.pay(event("charge.updated", _charge(status), 2))
    row = await cashdesk.account(order)
    assert (row["received_minor"], row["balance_minor"]) == (0, 5000)
