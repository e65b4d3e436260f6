"""PayPal's facts in any sequence, each several times, end in one ledger, one position and one set of facts."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from contracts.sale import PaymentMethod
from services.payments.accounts.account import Account
from services.payments.accounts.facts import Facts, RefundFacts
from services.payments.accounts.unit.unit import AccountUnit
from services.payments.providers.paypal.disputing import read_dispute
from services.payments.providers.paypal.payments import read_authorization, read_capture, read_order
from services.payments.providers.paypal.reading_refunds import read_refund
from services.payments.providers.port import ObjectNamed
from services.payments.webhooks.settling import settle, settle_refunds

TIMES = ("2026-11-22T09:00:00Z", "2026-11-22T10:30:00+01:00", "2026-11-23T09:00:00Z")
STORY = st.permutations(range(9)).flatmap(
    lambda order: st.lists(st.integers(0, 8), max_size=9).map(lambda more: [*order, *more])
)


def _amount(value: str) -> dict[str, str]:
    return {"value": value, "currency_code": "EUR"}


def _capture(number: int, status: str, value: str, **more: Any) -> dict[str, Any]:
    return {
        "id": f"CAPTURE{number}",
        "status": status,
        "amount": _amount(value),
        "create_time": TIMES[0],
        "update_time": TIMES[1],
        "supplementary_data": {"related_ids": {"order_id": "ORDER1"}},
        **more,
    }


def _refund(number: int, status: str, value: str) -> dict[str, Any]:
    return {
        "id": f"REFUND{number}",
        "status": status,
        "amount": _amount(value),
        "create_time": TIMES[1],
        "update_time": TIMES[2],
        "links": [{"rel": "up", "href": "https://api.paypal.com/v2/payments/captures/CAPTURE1"}],
    }


def all_facts() -> list[Facts | RefundFacts]:
    """An authorization, captures that are pending, paid and declined, refunds that stay and fail, a dispute."""
    authorized = {"related_ids": {"order_id": "ORDER1", "authorization_id": "AUTH1"}}
    first = _capture(1, "PARTIALLY_REFUNDED", "30.00", supplementary_data=authorized)
    authorization = {**_capture(0, "CAPTURED", "50.00"), "id": "AUTH1"}
    order = {"id": "ORDER1", "status": "COMPLETED", "purchase_units": [{"payments": {"captures": [first]}}]}
    case = {
        "dispute_id": "PP-R-1",
        "status": "UNDER_REVIEW",
        "dispute_life_cycle_stage": "CHARGEBACK",
        "dispute_amount": _amount("30.00"),
        "disputed_transactions": [{"seller_transaction_id": "CAPTURE1"}],
        "create_time": TIMES[2],
        "update_time": TIMES[2],
    }
    any_event = ObjectNamed("any", "ANY", "ANY")
    found = [
        read_authorization(authorization, any_event),
        read_capture(first, any_event),
        read_order(order, any_event),
        read_capture(_capture(2, "PENDING", "20.00"), any_event),
        read_capture(_capture(2, "COMPLETED", "20.00"), any_event),
        read_capture(_capture(3, "DECLINED", "9.00"), any_event),
        read_refund(_refund(1, "COMPLETED", "12.00"), any_event),
        read_refund(_refund(2, "FAILED", "5.00"), any_event),
        read_dispute(case, any_event),
    ]
    return [one for one in found if isinstance(one, Facts | RefundFacts)]


class _Unit:
    """The part of a unit of work that settling uses: what is emitted is not looked at here."""

    def emit(self, *_: Any, **__: Any) -> None:
        """Drop a message."""


def ledger_after(sequence: list[int]) -> dict[str, Any]:
    """The account's facts after PayPal's were applied in a sequence."""
    account = Account(
        "atelier",
        uuid4(),
        "K7F3-QD9M",
        "EUR",
        PaymentMethod.PAYPAL,
        datetime(2026, 11, 22, 8, tzinfo=UTC),
        is_new=True,
    )
    work, facts = AccountUnit(_Unit()), all_facts()  # type: ignore[arg-type]
    for number in sequence:
        one = facts[number]
        if isinstance(one, RefundFacts):
            settle_refunds(account, one, uuid4())
        else:
            settle(work, account, one, uuid4())
    position = account.position.model_dump(exclude={"version"})
    entries = sorted((e.kind, e.provider, e.object_id, e.step, e.amount_minor) for e in account.entries)
    return {
        "position": position,
        "entries": entries,
        "attempts": sorted(map(str, account.attempts)),
        "remarks": sorted(map(str, account.remarks)),
        "disputes": sorted(map(str, account.disputes.reports)),
        "refunds": {key: made.state for key, made in sorted(account.refunds.made.items())},
    }


def test_the_story_has_all_its_facts() -> None:
    assert len(all_facts()) == 9
    position = ledger_after(list(range(9)))["position"]
    assert (position["received_minor"], position["refunded_minor"]) == (5000, 1200)
    assert position["authorised_minor"] == 0


@given(STORY)
def test_any_sequence_and_repetition_gives_one_ledger(sequence: list[int]) -> None:
    assert ledger_after(sequence) == ledger_after(list(range(9)))
