"""Statuses as data: a shop's own labels beside the built-in ones."""

from typing import Any

import pytest

from contracts.orders.lifecycle import OrderState
from services.chassis.testing import Desk
from services.orders.order.shop.colours import Colour
from services.orders.order.state import LABELS
from services.orders.staff import labelling
from services.orders.staff.labelling import LabelFixed, LabelInUse, LabelRequest, LabelTaken, LabelUnknown
from services.orders.staff.labels import BUILT_IN_COLOUR, Label, Labels, labels_of
from services.orders.staff.status_update import StatusUpdate
from services.orders.staff.updating_status import update_status
from tests.builders.submissions import SHOP
from tests.conftest import Desks
from tests.orders.builders import a_life

WORKSHOP = LabelRequest("En atelier", "In the workshop", Colour.PURPLE)


async def add(desk: Desk, wish: LabelRequest = WORKSHOP, state: OrderState = OrderState.PROCESSING) -> Label:
    """A label of the shop."""
    async with desk.unit() as unit:
        return await labelling.add_label(unit, SHOP, state, wish, "lea")


async def change(desk: Desk, key: str, wish: LabelRequest) -> Label:
    """Another look or name for a label."""
    async with desk.unit() as unit:
        return await labelling.change_label(unit, SHOP, key, wish, "lea")


async def delete(desk: Desk, key: str) -> None:
    """Delete a label."""
    async with desk.unit() as unit:
        await labelling.delete_label(unit, SHOP, key, "lea")


async def read(desk: Desk, shop: str = SHOP) -> Labels:
    """The labels as this process tells them."""
    async with desk.hub.acquire() as connection:
        return await labels_of.get(connection, desk.hub.owner, shop)


def words(labels: Labels) -> list[str]:
    """The choices' French texts."""
    return [label.texts["fr"] for label in labels.choices()]


async def test_own_labels_stand_with_the_built_in_ones_of_their_state(desks: Desks) -> None:
    desk = await desks("orders")
    assert words(await read(desk)) == [texts["fr"] for texts in LABELS.values()]
    label = await add(desk)
    assert (label.state, label.texts, label.is_built_in) == (
        OrderState.PROCESSING,
        {"fr": "En atelier", "en": "In the workshop"},
        False,
    )
    labels = await read(desk)
    at = words(labels).index("En cours de traitement")
    assert words(labels)[at : at + 3] == ["En cours de traitement", "En atelier", "Traitée"]
    assert labels.text(label.key, "en") == "In the workshop"
    assert words(await read(desk, "atelier")) == [texts["fr"] for texts in LABELS.values()]


async def test_labels_are_renamed_moved_recoloured_and_deleted(desks: Desks) -> None:
    desk = await desks("orders")
    label = await add(desk)
    changed = await change(desk, label.key, LabelRequest("À l’atelier", "At the workshop", Colour.TEAL, 0))
    assert (await read(desk)).by_key[label.key] == changed
    await delete(desk, label.key)
    labels = await read(desk)
    assert "À l’atelier" not in words(labels)
    assert labels.text(label.key, "fr") == "À l’atelier"
    with pytest.raises(LabelUnknown):
        await change(desk, label.key, WORKSHOP)
    assert (await add(desk)).key != label.key


async def test_built_in_labels_are_recoloured_and_nothing_else(desks: Desks) -> None:
    desk = await desks("orders")
    same = LabelRequest("Traitée", "Completed", Colour.PURPLE, 3)
    changed = await change(desk, "completed", same)
    assert (changed.colour, BUILT_IN_COLOUR["completed"]) == (Colour.PURPLE, Colour.GREEN)
    assert (await read(desk)).by_key["completed"].is_built_in
    with pytest.raises(LabelFixed, match="rename"):
        await change(desk, "completed", LabelRequest("Finie", "Completed", Colour.PURPLE))
    with pytest.raises(LabelFixed, match="delete"):
        await delete(desk, "completed")
    with pytest.raises(LabelFixed, match="in_checkout"):
        await add(desk, state=OrderState.IN_CHECKOUT)


async def test_two_labels_never_have_the_same_text(desks: Desks) -> None:
    desk = await desks("orders")
    label = await add(desk)
    wishes: list[dict[str, Any]] = [{"fr": "en ATELIER", "en": "x"}, {"fr": "x", "en": "Completed"}]
    for texts in wishes:
        with pytest.raises(LabelTaken):
            await add(desk, LabelRequest(**texts, colour=Colour.RED))
    await change(desk, label.key, LabelRequest("En Atelier", "In the workshop", Colour.RED))


async def test_a_label_in_use_stays(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    await desk.deliver(life.balance(2, received=life.total))
    label = await add(desk)
    async with desk.unit() as unit:
        await update_status(unit, SHOP, life.order_id, StatusUpdate(label.key), "lea")
    with pytest.raises(LabelInUse, match="1 orders"):
        await delete(desk, label.key)
    async with desk.unit() as unit:
        await update_status(unit, SHOP, life.order_id, StatusUpdate("in_progress_order"), "lea")
    await delete(desk, label.key)
