"""Statuses as data: the built-in labels and a shop's own, each bound to one fixed state.

Invariant: every label belongs to one state for ever, so that a filter by state and one by label never contradict each
other; the built-in ones can be recoloured and moved, never renamed or deleted. A deleted label still has its texts,
for histories name it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from contracts.orders import OrderState
from services.chassis.storage.database import Connection
from services.orders.order.shop.cache import TtlCache
from services.orders.order.shop.colours import Colour
from services.orders.order.state import BUILT_IN_STATE, LABELS
from services.orders.staff import label_store

BUILT_IN_COLOUR: dict[str, Colour] = {
    "draft": Colour.GREY,
    "in_checkout": Colour.GREY,
    "abandoned": Colour.GREY,
    "awaiting_payment": Colour.OCHRE,
    "in_progress_order": Colour.BLUE,
    "payments_received": Colour.BLUE,
    "processing": Colour.TEAL,
    "completed": Colour.GREEN,
    "cancelled": Colour.RED,
}
"""What the built-in labels look like unless the shop chose otherwise."""


@dataclass(frozen=True, slots=True)
class Label:
    """A status. `texts` by language (fr, en); `position` sorts the choices of one state."""

    key: str
    state: OrderState
    texts: Mapping[str, str]
    colour: Colour
    position: int
    is_built_in: bool = False
    is_deleted: bool = False

    def text(self, language: str) -> str:
        """What it says, in French unless the language is `en`."""
        return self.texts.get(language, self.texts["fr"])


@dataclass(frozen=True, slots=True)
class Labels:
    """A shop's labels by key, the deleted ones too."""

    by_key: Mapping[str, Label] = field(default_factory=dict)

    def choices(self) -> list[Label]:
        """The labels that are not deleted, in the states' sequence, then by position."""
        states = list(OrderState)
        kept = (label for label in self.by_key.values() if not label.is_deleted)
        return sorted(kept, key=lambda label: (states.index(label.state), label.position, label.key))

    def texts(self, key: str) -> Mapping[str, str]:
        """What a label says, by language; a key nobody knows says itself."""
        label = self.by_key.get(key)
        return label.texts if label else {"fr": key, "en": key}

    def text(self, key: str, language: str) -> str:
        """What a label says in a language."""
        texts = self.texts(key)
        return texts.get(language, texts["fr"])


def built_in(key: str, position: int) -> Label:
    """A built-in label as it is without a shop's wishes."""
    return Label(key, BUILT_IN_STATE[key], LABELS[key], BUILT_IN_COLOUR[key], position, is_built_in=True)


def combined(rows: list[label_store.Row]) -> Labels:
    """The built-in labels with a shop's wishes, and the shop's own."""
    found = {key: built_in(key, position) for position, key in enumerate(LABELS)}
    for row in rows:
        known = found.get(row["key"])
        found[row["key"]] = Label(
            key=row["key"],
            state=known.state if known else OrderState(row["state"]),
            texts=known.texts if known else {"fr": row["fr"], "en": row["en"]},
            colour=Colour(row["colour"]),
            position=row["position"],
            is_built_in=known is not None,
            is_deleted=row["deleted_at"] is not None,
        )
    return Labels(found)


async def _read(connection: Connection, shop: str) -> Labels:
    return combined(await label_store.read_labels(connection, shop))


labels_of = TtlCache(_read)
"""`await labels_of.get(connection, owner, shop)`: a shop's labels, at most a few seconds old."""
