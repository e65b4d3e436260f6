"""Status updates on a real PostgreSQL: what holds, what is told, what is refused."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from contracts.orders.lifecycle import OrderState, OrderStateChanged, StatusUpdated
from services.chassis.testing import Desk
from services.orders.order import history as changes
from services.orders.order.history import Stale
from services.orders.order.refusal import Refusal
from services.orders.order.shop.colours import Colour
from services.orders.order.unit.actions import OrderUnknown
from services.orders.staff import labelling
from services.orders.staff.labelling import LabelRequest, LabelUnknown
from services.orders.staff.status_update import (
    CannotNotify,
    ForceNeeded,
    NothingToUpdate,
    ProofNeeded,
    PublicCommentTooLong,
    ReasonNeeded,
    StatusLocked,
    StatusNotByHand,
    StatusUpdate,
)
from services.orders.staff.updating_status import Updated, update_status, update_statuses
from tests.builders.submissions import SHOP, a_checkout, dropped
from tests.conftest import Desks
from tests.orders.builders import Life, a_life
from tests.orders.staff.test_staff_actions import places_of

SECRET = "Signé par la voisine, preuve n° 4711"


async def paid(desk: Desk) -> Life:
    """An order ready to be prepared."""
    life = await a_life(desk)
    await desk.deliver(life.balance(2, received=life.total))
    return life


async def update(
    desk: Desk, life: Life, label: str, revision: int | None = None, may_force: bool = False, **more: Any
) -> Updated:
    """Have a person update the status."""
    desk._units.clear()
    async with desk.unit() as unit:
        wish = StatusUpdate(label, **more)
        return await update_status(
            unit, SHOP, life.order_id, wish, "lea", may_force=may_force, revision=revision
        )


async def shown(desk: Desk) -> tuple[str, str]:
    """State and label of the only order."""
    (row,) = await desk.fetch("SELECT state, label FROM orders")
    return row["state"], row["label"]


async def test_a_status_holds_until_a_fact_gives_another_state(desks: Desks) -> None:
    desk = await desks("orders")
    life = await paid(desk)
    done = await update(desk, life, "processing", revision=2)
    assert (done.state, done.label, done.revision) == (OrderState.PROCESSING, "processing", 3)
    await desk.deliver(life.balance(3, received=life.total))
    await desk.deliver(life.packed())
    assert await shown(desk) == ("processing", "processing")
    await desk.deliver(life.balance(4, received=0))
    await desk.deliver(life.dispatched())
    assert await shown(desk) == ("processing", "processing")
    await desk.deliver(life.balance(5, received=life.total))
    await desk.deliver(life.delivered())
    assert await shown(desk) == ("completed", "completed")


async def test_back_to_what_the_facts_give_leaves_nothing_set_by_hand(desks: Desks) -> None:
    desk = await desks("orders")
    life = await paid(desk)
    await update(desk, life, "processing")
    await update(desk, life, "in_progress_order")
    (row,) = await desk.fetch("SELECT state, hand_state, hand_label, hand_over FROM orders")
    assert tuple(row) == ("ready", None, None, None)


async def test_what_is_reported_and_recorded(desks: Desks) -> None:
    desk = await desks("orders")
    life = await paid(desk)
    updated = await update(
        desk,
        life,
        "processing",
        notify_customer=True,
        public_comment=" Bientôt là ! ",
        admin_comment=SECRET,
    )
    (event, emitted), (change, state) = desk.emitted()
    assert isinstance(emitted, StatusUpdated)
    assert (emitted.previous, emitted.state, emitted.label, emitted.label_texts["fr"]) == (
        "ready",
        "processing",
        "processing",
        "En cours de traitement",
    )
    assert (emitted.public_comment, emitted.notify_customer, emitted.actor) == ("Bientôt là !", True, "lea")
    assert emitted.customer is not None
    assert (emitted.customer.email, emitted.locale) == ("zoe@client.example", "fr")
    assert isinstance(state, OrderStateChanged)
    assert (change.causation_id, state.cause, event.id) == (event.id, event.type, updated.event_id)
    async with desk.hub.acquire() as connection:
        entries = await changes.changed_since(connection, SHOP, life.order_id, 2)
    by_kind = {entry.kind: entry for entry in entries}
    assert set(by_kind) == {"status_updated", "state_changed"}
    noted = by_kind["status_updated"].data
    assert (noted["comment"], noted["public_comment"]) == (SECRET, "Bientôt là !")
    assert by_kind["state_changed"].actor == "lea"
    assert await places_of(desk, SECRET) == {"comment"}


async def test_without_the_tick_nobody_is_named(desks: Desks) -> None:
    desk = await desks("orders")
    await update(desk, await paid(desk), "processing")
    event = desk.emitted()[0][1]
    assert isinstance(event, StatusUpdated)
    assert (event.notify_customer, event.customer, event.locale) == (False, None, None)


async def test_completed_takes_a_proof_in_words_where_no_delivery_is_known(desks: Desks) -> None:
    desk = await desks("orders")
    life = await paid(desk)
    await desk.deliver(life.packed())
    await desk.deliver(life.dispatched())
    with pytest.raises(ProofNeeded, match="no delivery is recorded"):
        await update(desk, life, "completed")
    await update(desk, life, "completed", admin_comment=SECRET)
    assert await shown(desk) == ("completed", "completed")


async def test_what_the_facts_speak_against_takes_right_and_reason(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    for may_force, force in ((False, False), (True, False), (False, True)):
        with pytest.raises(ForceNeeded):
            await update(desk, life, "completed", may_force=may_force, force=force, reason="perdu")
    with pytest.raises(ReasonNeeded):
        await update(desk, life, "completed", may_force=True, force=True, reason=" ")
    await update(desk, life, "completed", may_force=True, force=True, reason="Offerte au salon")
    assert await shown(desk) == ("completed", "completed")
    data = json.loads(await desk.fetchval("SELECT data FROM activity WHERE kind = 'status_updated'"))
    assert (data["is_forced"], data["reason"]) == (True, "Offerte au salon")
    assert "salon" not in str(
        await desk.fetch("SELECT convert_from(body, 'UTF8') AS body FROM msg.event_log")
    )


@pytest.mark.parametrize(
    ("label", "more", "error"),
    [
        ("cancelled", {"force": True, "reason": "x"}, StatusNotByHand),
        ("abandoned", {}, StatusNotByHand),
        ("own_nothing", {}, LabelUnknown),
        ("in_progress_order", {}, NothingToUpdate),
        ("processing", {"public_comment": "x" * 2001}, PublicCommentTooLong),
        ("processing", {"revision": 1}, Stale),
    ],
)
async def test_refused_and_nothing_changed(
    desks: Desks, label: str, more: dict[str, Any], error: type[Refusal]
) -> None:
    desk = await desks("orders")
    life = await paid(desk)
    with pytest.raises(error):
        await update(desk, life, label, may_force=True, **more)
    assert await desk.fetchval("SELECT revision FROM orders") == 2
    assert await desk.fetchval("SELECT count(*) FROM activity WHERE kind = 'status_updated'") == 0


async def test_a_checkout_is_locked_and_an_abandoned_one_is_not_written_about(desks: Desks) -> None:
    desk = await desks("orders")
    opened = a_checkout(customer={"email": "zoe@"}, opened_at=datetime.now(UTC))
    await desk.deliver(opened, user_id="storefront.maison.shop")
    life = Life(opened.checkout_id, "", 0, [])
    with pytest.raises(StatusLocked, match="at the checkout"):
        await update(desk, life, "abandoned", notify_customer=True)
    await desk.deliver(dropped(opened, opened.opened_at), user_id="storefront.maison.shop")
    with pytest.raises(CannotNotify):
        await update(desk, life, "abandoned", notify_customer=True)
    with pytest.raises(StatusNotByHand):
        await update(desk, life, "in_progress_order", may_force=True, force=True, reason="x")
    async with desk.unit() as unit:
        wish = LabelRequest("Relancé", "Reminded", Colour.ORANGE)
        label = await labelling.add_label(unit, SHOP, OrderState.ABANDONED, wish, "lea")
    await update(desk, life, label.key)
    assert await shown(desk) == ("abandoned", label.key)


async def test_many_orders_each_with_its_result(desks: Desks) -> None:
    desk = await desks("orders")
    ready, unpaid, unknown = await paid(desk), await a_life(desk), uuid4()
    async with desk.unit() as unit:
        results = await update_statuses(
            unit,
            SHOP,
            [unpaid.order_id, unknown, ready.order_id],
            StatusUpdate("processing", notify_customer=True, admin_comment=SECRET),
            "lea",
        )
    assert [(one.changed, one.reason) for one in results] == [
        (False, "status_needs_force"),
        (False, "order_unknown"),
        (True, None),
    ]
    assert [tuple(row) for row in await desk.fetch("SELECT order_id, text FROM comment")] == [
        (ready.order_id, SECRET)
    ]
    with pytest.raises(OrderUnknown):
        async with desk.unit() as unit:
            await update_status(unit, SHOP, unknown, StatusUpdate("processing"), "lea")
