"""Labels of statuses: the built-in ones and a shop's own, each permanently bound to one state.

Invariant: every label belongs permanently to one state, so that a filter by state and one by label never
contradict each other; the built-in ones can be recoloured and moved, never renamed or deleted. A deleted
label keeps its texts, because histories refer to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from contracts.orders.lifecycle import OrderState
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
"""Default appearance of the built-in labels."""


@dataclass(frozen=True, slots=True)
class Label:
    """Label of a status. `texts` by language (fr, en); `position` sorts the choices of one state."""

    key: str
    state: OrderState
    texts: Mapping[str, str]
    colour: Colour
    position: int
    is_built_in: bool = False
    is_deleted: bool = False

    def text(self, language: str) -> str:
        """Return the label's text, in French unless the language is `en`."""
        return self.texts.get(language, self.texts["fr"])


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of a shop by key, including deleted ones."""

    by_key: Mapping[str, Label] = field(default_factory=dict)

    def choices(self) -> list[Label]:
        """Return the labels that are not deleted, in the order of the states, then by position."""
        states = list(OrderState)
        kept = (label for label in self.by_key.values() if not label.is_deleted)
        return sorted(kept, key=lambda label: (states.index(label.state), label.position, label.key))

    def texts(self, key: str) -> Mapping[str, str]:
        """Return the texts of a label by language; for an unknown key, the key itself."""
        label = self.by_key.get(key)
        return label.texts if label else {"fr": key, "en": key}

    def text(self, key: str, language: str) -> str:
        """Return the text of a label in a language."""
        texts = self.texts(key)
        return texts.get(language, texts["fr"])


def built_in(key: str, position: int) -> Label:
    """Return a built-in label with its defaults."""
    return Label(key, BUILT_IN_STATE[key], LABELS[key], BUILT_IN_COLOUR[key], position, is_built_in=True)


def combined(rows: list[label_store.Row]) -> Labels:
    """Return the built-in labels with a shop's changes, and the shop's own."""
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
"""Cache of a shop's labels, at most a few seconds old: `await labels_of.get(connection, owner, shop)`."""
