"""The table of handlers of orders agrees with the catalogue on what messages need loaded."""

from contracts.catalogue import consumed_by
from contracts.notifier.bounces import MailBounced, MailSuppressed, SuppressionLifted
from services.orders.handlers import subscribers
from services.orders.order.unit.needs import SETTLES

FLAGGING = (MailBounced, MailSuppressed, SuppressionLifted)
"""Facts about addresses, which flag the orders of their mails."""


def test_an_outcome_of_a_command_needs_the_command() -> None:
    """Or the command would stay open, since its row is not loaded."""
    for entry in consumed_by("orders"):
        assert ("commands" in subscribers.handlers[entry.message].needs) == (entry.type in SETTLES), (
            entry.type
        )


def test_a_fact_about_an_order_needs_the_order() -> None:
    """Facts about orders carry the order's code beside its id."""
    for entry in consumed_by("orders"):
        is_fact = {"code", "order_id"} <= entry.message.model_fields.keys() or entry.message in FLAGGING
        assert ("orders" in subscribers.handlers[entry.message].needs) == is_fact, entry.type
