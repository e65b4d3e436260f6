"""The command that switches mails: one outcome each, and what it does to the mails of what happens then."""

from collections.abc import Mapping

from contracts.message import Message
from contracts.notifier.mail_rules import ChangeMailRules, MailRulesChanged
from contracts.orders.lifecycle import OrderCompleted, OrderPlaced
from contracts.service import CommandDone, CommandRejected
from services.chassis.testing import Desk, envelope_for
from tests.builders.orders import edited
from tests.conftest import Desks
from tests.notifier.builders import SHOP, an_order
from tests.notifier.replaying import replay


def switching(
    switches: Mapping[str, bool], based_on: int = 0, minutes: int = 180, shop: str = SHOP
) -> ChangeMailRules:
    return ChangeMailRules(
        shop=shop,
        switches=dict(switches),
        abandoned_after_minutes=minutes,
        based_on_version=based_on,
        actor="staff:maelle",
    )


async def answer(desk: Desk, command: Message) -> Message:
    """The one outcome of a command."""
    ((_, event),) = (await desk.deliver(command)).emitted
    return event


async def templates(desk: Desk) -> list[str]:
    return [row["template"] for row in await desk.fetch("SELECT template FROM mail ORDER BY template")]


async def test_a_change_names_every_switch_and_a_repeat_has_nothing_to_change(desks: Desks) -> None:
    desk = await desks("notifier")
    body = await answer(desk, switching({"new_order": False}))
    assert isinstance(body, MailRulesChanged)
    assert (body.version, body.switches["new_order"], body.switches["stock_low"]) == (1, False, True)
    assert isinstance(await answer(desk, switching({"new_order": False}, based_on=1)), CommandDone)
    again = await answer(desk, switching({"order_completed": True}, based_on=1))
    assert isinstance(again, MailRulesChanged)
    assert (again.switches["new_order"], again.switches["order_completed"]) == (False, True)


async def test_a_refusal_names_every_reason(desks: Desks) -> None:
    desk = await desks("notifier")
    body = await answer(desk, switching({"order_recap": False, "x": True}, based_on=3, shop="unknown-shop"))
    assert isinstance(body, CommandRejected)
    assert [(one.code, one.field) for one in body.reasons] == [
        ("unknown_shop", "shop"),
        ("mail_required", "switches.order_recap"),
        ("template_unknown", "switches"),
        ("version_differs", "based_on_version"),
    ]
    assert await desk.fetchval("SELECT count(*) FROM mail_rule") == 0


async def test_a_mail_is_not_planned_while_it_is_switched_off_and_no_replay_brings_it_back(
    desks: Desks,
) -> None:
    desk = await desks("notifier")
    await desk.deliver(switching({"new_order": False}))
    order = an_order()
    placed = await desk.deliver(order)
    assert await templates(desk) == ["order_recap"]
    await desk.deliver(switching({"new_order": True}, based_on=1))
    await replay(desk, order, placed.envelope)
    assert await templates(desk) == ["order_recap"]
    await desk.deliver(an_order())
    assert await templates(desk) == ["new_order", "order_recap", "order_recap"]


async def test_what_happened_before_the_switch_is_mailed_though_it_is_handled_later(desks: Desks) -> None:
    desk = await desks("notifier")
    order = an_order()
    early = envelope_for("notifier", order)
    await desk.deliver(switching({"new_order": False}))
    await desk.deliver(order, envelope=early)
    assert await templates(desk) == ["new_order", "order_recap"]


def completed(order: OrderPlaced) -> OrderCompleted:
    return OrderCompleted(shop=SHOP, order_id=order.order_id, code=order.code)


async def test_a_completed_order_is_mailed_once_to_customers_of_shops_that_want_it(desks: Desks) -> None:
    desk = await desks("notifier")
    order = an_order()
    await desk.deliver(order)
    await desk.deliver(completed(order))
    assert await templates(desk) == ["new_order", "order_recap"], "it is off until it is switched on"
    await desk.deliver(switching({"order_completed": True}))
    await desk.deliver(completed(order))
    moved = order.customer.model_copy(update={"email": "corrected@example.org"})
    await desk.deliver(edited(order, customer=moved))
    await desk.deliver(completed(order))
    mails = await desk.fetch("SELECT recipient FROM mail WHERE template = 'order_completed'")
    assert [row["recipient"] for row in mails] == [order.customer.email]


async def test_a_completion_waits_for_its_order(desks: Desks) -> None:
    desk = await desks("notifier")
    assert (await desk.deliver(completed(an_order()))).result == "waiting"
