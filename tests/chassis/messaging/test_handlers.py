"""A mistake in a service's table of handlers ends its start with a sentence that names it."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from contracts.catalogue import consumed_by
from contracts.fulfillment.stock import AdjustStock, SetStock, StockReserved
from contracts.message import Message
from contracts.notifier.mails import ConfirmMail, ResendMail
from services.chassis.messaging.subscribers import (
    Handler,
    InvalidHandlers,
    ReceivedMessage,
    Subscribers,
    UnitOfWork,
)

CONSUMED = (SetStock, AdjustStock)


@dataclass
class Needs:
    """What the messages below need loaded."""

    shops: set[str] = field(default_factory=set)
    messages: list[ReceivedMessage[SetStock]] = field(default_factory=list)


class Shelves(UnitOfWork[Needs]):
    """A unit of work that is never opened."""

    needs = Needs

    async def load(self, needs: Needs) -> None:
        """Load nothing: only the table is checked."""

    async def save(self) -> None:
        """Save nothing."""


def count(work: Shelves, received: ReceivedMessage[SetStock]) -> None:
    """Stand in the table as the handler of SetStock; it is never called."""


def adjust(work: Shelves, received: ReceivedMessage[AdjustStock]) -> None:
    """Stand in the table as the handler of AdjustStock; it is never called."""


def note(work: Shelves, received: ReceivedMessage[StockReserved]) -> None:
    """Stand in the table as the handler of StockReserved; it is never called."""


def by_shop(received: ReceivedMessage[SetStock] | ReceivedMessage[AdjustStock]) -> list[str]:
    return [received.message.shop]


COUNT = Handler(SetStock, count, shops=by_shop)
ADJUST = Handler(AdjustStock, adjust, shops=by_shop)


def errors_of(*handlers: Handler[Shelves, Any]) -> tuple[str, ...]:
    with pytest.raises(InvalidHandlers) as caught:
        Subscribers("fulfillment", Shelves, *handlers, consumed=CONSUMED)
    assert "services/fulfillment/handlers.py is invalid" in str(caught.value)
    assert all(error in str(caught.value) for error in caught.value.errors)
    return tuple(caught.value.errors)


def test_a_whole_table_is_accepted() -> None:
    table = Subscribers("fulfillment", Shelves, COUNT, ADJUST, consumed=CONSUMED)
    assert table.handlers == {SetStock: COUNT, AdjustStock: ADJUST}


def test_a_message_the_service_does_not_receive_is_named() -> None:
    [error] = errors_of(COUNT, ADJUST, Handler(StockReserved, note))
    assert error == (
        "StockReserved (handler test_handlers.note) is not received by fulfillment: remove the handler, or add "
        '"fulfillment" to the listeners of the message in contracts/catalogue.py.'
    )


def test_a_need_that_the_unit_does_not_load_is_named() -> None:
    [error] = errors_of(COUNT, Handler(AdjustStock, adjust, shop=by_shop))
    assert error == (
        "AdjustStock (handler test_handlers.adjust) needs 'shop', which Shelves does not load; "
        "it loads shops, messages."
    )


def test_a_message_with_two_handlers_is_named() -> None:
    assert errors_of(COUNT, ADJUST, Handler(SetStock, count)) == (
        "SetStock has 2 handlers (test_handlers.count, test_handlers.count): keep one.",
    )


def test_a_received_message_without_a_handler_is_named() -> None:
    assert errors_of(COUNT) == ("AdjustStock is received by fulfillment and has no handler: add one.",)


def test_all_errors_are_named_together() -> None:
    assert len(errors_of(COUNT, COUNT, Handler(StockReserved, note, shop=by_shop))) == 4


def test_without_a_list_of_its_own_a_service_receives_what_the_catalogue_lists() -> None:
    with pytest.raises(InvalidHandlers) as caught:
        Subscribers("notifier", Shelves)
    named = {error.split(" ", 1)[0] for error in caught.value.errors}
    expected: set[type[Message]] = {entry.message for entry in consumed_by("notifier")}
    assert {ResendMail, ConfirmMail} <= expected
    assert named == {message.__name__ for message in expected}
