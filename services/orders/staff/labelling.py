"""Management of a shop's own labels: added, renamed, recoloured, moved and deleted.

Invariant: no order ever has a label that does not exist: a label in use cannot be deleted, and an action that sets
an order's label holds a lock on the shop's labels. No two labels of a shop have the same text.
"""

from dataclasses import dataclass
from uuid import uuid4

from contracts.orders.lifecycle import OrderState
from services.chassis.messaging.unit import Unit
from services.orders.order.refusal import Refusal
from services.orders.order.shop.colours import Colour
from services.orders.order.shop.names import cleaned, folded
from services.orders.order.state import LOCKED_STATES
from services.orders.staff import label_store
from services.orders.staff.labels import Label, Labels, combined, labels_of

MOST_COUNTED = 1000
OWN = "own_"
"""Prefix of the keys of shops' own labels; no built-in key has it."""


@dataclass(frozen=True, slots=True)
class LabelRequest:
    """Requested values of a label. `position` None: after the other labels of its state."""

    fr: str
    en: str
    colour: Colour
    position: int | None = None


class LabelUnknown(Refusal):
    """Error: the shop has no such label (any more)."""

    code = "label_unknown"
    status = 404

    def __init__(self, shop: str, key: str) -> None:
        super().__init__(
            f"shop {shop} has no label {key[:60]!r}; somebody may have deleted it, choose another"
        )


class LabelTaken(Refusal):
    """Error: another label of the shop has the same text."""

    code = "label_taken"

    def __init__(self, wish: str, other: Label) -> None:
        super().__init__(
            f"the label {other.key} says {other.texts['fr']!r} / {other.texts['en']!r} already, as {wish!r} "
            "would; use that one or write something else"
        )
        self.other = other


class LabelInUse(Refusal):
    """Error: orders have the label."""

    code = "label_in_use"
    status = 409

    def __init__(self, label: Label, orders: int) -> None:
        many = f"{orders}" if orders < MOST_COUNTED else f"{MOST_COUNTED} or more"
        super().__init__(f"{many} orders have the label {label.texts['fr']!r}; give them another one first")
        self.orders = orders


class LabelFixed(Refusal):
    """Error: a built-in label cannot be renamed or deleted, and a state that staff cannot give has no labels
    of its own.
    """

    code = "label_fixed"

    def __init__(self, what: str, key: str) -> None:
        super().__init__(f"{what} {key}; make a label of your own beside it")


async def add_label(unit: Unit, shop: str, state: OrderState, wish: LabelRequest, actor: str) -> Label:
    """Add a label permanently bound to a state and return it. Raises LabelTaken, LabelFixed, NameUnusable."""
    if state in LOCKED_STATES:
        raise LabelFixed("staff can't give the state", state)
    labels = await _hold(unit, shop)
    key = f"{OWN}{uuid4().hex[:12]}"
    return await _write(unit, shop, _wished(labels, key, state, wish), actor)


async def change_label(unit: Unit, shop: str, key: str, wish: LabelRequest, actor: str) -> Label:
    """Rename, recolour or move a label; of a built-in one only colour and position change.

    Raises LabelUnknown, LabelTaken, LabelFixed (for renaming a built-in one), NameUnusable.
    """
    labels = await _hold(unit, shop)
    known = _choosable(labels, shop, key)
    changed = _wished(labels, key, known.state, wish)
    if known.is_built_in and dict(known.texts) != dict(changed.texts):
        raise LabelFixed("nobody can rename the built-in label", key)
    return await _write(unit, shop, changed, actor)


async def delete_label(unit: Unit, shop: str, key: str, actor: str) -> None:
    """Delete a label, so that it can no longer be chosen.

    Raises LabelUnknown, LabelFixed (built-in), LabelInUse.
    """
    labels = await _hold(unit, shop)
    label = _choosable(labels, shop, key)
    if label.is_built_in:
        raise LabelFixed("nobody can delete the built-in label", key)
    if orders := await label_store.count_orders(unit.connection, shop, key, MOST_COUNTED):
        raise LabelInUse(label, orders)
    await label_store.mark_deleted(unit.connection, shop, key, actor, unit.now)
    unit.after_commit(lambda: labels_of.forget(unit.owner, shop))


async def _hold(unit: Unit, shop: str) -> Labels:
    await label_store.lock_labels(unit.connection, shop)
    return combined(await label_store.read_labels(unit.connection, shop))


def _choosable(labels: Labels, shop: str, key: str) -> Label:
    label = labels.by_key.get(key)
    if label is None or label.is_deleted:
        raise LabelUnknown(shop, key)
    return label


def _wished(labels: Labels, key: str, state: OrderState, wish: LabelRequest) -> Label:
    texts = {"fr": cleaned(wish.fr), "en": cleaned(wish.en)}
    for other in labels.choices():
        for language, text in texts.items():
            if other.key != key and folded(other.text(language)) == folded(text):
                raise LabelTaken(text, other)
    position = wish.position
    if position is None:
        places = [label.position for label in labels.choices() if label.state is state and label.key != key]
        position = max(places, default=-1) + 1
    return Label(key, state, texts, Colour(wish.colour), max(0, min(position, 10_000)))


async def _write(unit: Unit, shop: str, label: Label, actor: str) -> Label:
    row = label_store.LabelRow(
        shop=shop,
        key=label.key,
        state=label.state,
        fr=label.texts["fr"],
        en=label.texts["en"],
        colour=label.colour,
        position=label.position,
        changed_by=actor,
        changed_at=unit.now,
    )
    await label_store.write_label(unit.connection, row)
    unit.after_commit(lambda: labels_of.forget(unit.owner, shop))
    return label
