"""A key whose sale named a placed checkout is as free, or as used up, in a batch as by itself."""

from contracts.envelope import uuid7
from contracts.message import Message
from contracts.storefront import OrderAccepted
from tests.builders.envelopes import deliver, enveloped
from tests.builders.submissions import a_checkout, a_line, as_sale
from tests.conftest import Desks


def _story() -> list[Message]:
    """One checkout placed; a second sale names it under another key; a third is all right and has that key."""
    first = a_checkout(a_line(), checkout_id=uuid7(), idempotency_key="key-1")
    other = a_checkout(a_line(quantity=1), checkout_id=uuid7(), idempotency_key="key-2")
    return [as_sale(first), as_sale(first, idempotency_key="key-2"), as_sale(other)]


async def test_a_batch_is_as_one_by_one(desks: Desks) -> None:
    placed = []
    for together in (False, True):
        desk = await desks("orders")
        outcomes = await deliver(desk, enveloped("orders", _story()), together=together)
        placed.append([bool(outcome.messages_of(OrderAccepted)) for outcome in outcomes])
    assert placed[0] == placed[1]
