"""What of a ledger can still go back, payment by payment, and which payments a person may take back."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from contracts.sale import PaymentMethod
from services.orders.backoffice.order.refundable import may_be_reversed
from services.orders.listing.order_parts import LedgerEntryResponse
from services.orders.listing.payments_left import payments_left

KINDS = ("refund_paid", "refund_failed", "refund_marked", "refund_mark_reversed", "payment_reversed", "fee")


def entry(
    kind: str, minor: int, about: UUID | None = None, provider: str | None = None
) -> LedgerEntryResponse:
    """An entry of a ledger."""
    fields = dict.fromkeys(("provider_reference", "reference", "received_on", "clearing_on", "note"))
    return LedgerEntryResponse(
        **fields,
        entry_id=uuid4(),
        number=1,
        kind=kind,
        method=PaymentMethod.CHEQUE,
        amount_minor=minor,
        currency="EUR",
        provider=provider,
        recorded_by="camille",
        payment_entry_id=about,
        balance_minor=0,
        occurred_at=datetime.now(UTC),
        recorded_at=datetime.now(UTC),
    )


@given(
    received=st.integers(1, 10**6), moves=st.lists(st.tuples(st.sampled_from(KINDS), st.integers(1, 10**6)))
)
def test_what_is_left_of_a_payment_is_what_came_less_what_went(
    received: int, moves: Sequence[tuple[str, int]]
) -> None:
    paid, other = entry("payment_received", received), entry("payment_received", 700)
    about = [entry(kind, minor, paid.entry_id) for kind, minor in moves]
    latest, first = payments_left([entry("order_total", received), paid, *about, other])
    assert (first.entry_id, latest.entry_id, latest.left_minor) == (paid.entry_id, other.entry_id, 700)
    signs = {"refund_failed": 1, "refund_mark_reversed": 1, "fee": 0}
    left = received + sum(signs.get(kind, -1) * minor for kind, minor in moves)
    assert first.left_minor == max(0, left)


def test_only_a_payment_entered_by_hand_is_taken_back_and_once() -> None:
    by_hand, by_card = entry("payment_received", 100), entry("payment_received", 100, provider="stripe")
    assert may_be_reversed(by_hand, [by_hand])
    assert not may_be_reversed(by_card, [by_card])
    assert not may_be_reversed(by_hand, [by_hand, entry("payment_reversed", 100, by_hand.entry_id)])
    assert not may_be_reversed(entry("refund_paid", 5), [])
