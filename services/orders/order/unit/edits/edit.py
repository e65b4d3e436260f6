"""Change of a placed order in progress: the request, fulfillment's answer, the result."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from contracts.orders.changes import ChangeCause
from services.orders.order.totals.content import Content

COMMAND_TYPES = {
    ChangeCause.EDITED: "orders.order.edit",
    ChangeCause.CANCELLED: "orders.order.cancel",
    ChangeCause.REINSTATED: "orders.order.reinstate",
    ChangeCause.DELETED: "orders.order.delete",
}
"""Command type of each kind of change; orders executes these commands itself."""


class EditState(StrEnum):
    """Progress of a change."""

    REDUCING = "reducing"
    ADDING = "adding"
    DONE = "done"
    REJECTED = "rejected"


OPEN = frozenset({EditState.REDUCING, EditState.ADDING})


@dataclass(slots=True)
class Edit:
    """One change. `id` is its command's id; units are by line; `wanted` is the content an edit asks for.

    `number` counts the order's changes that took effect; `question_id` is the message that asked fulfillment last.
    """

    shop: str
    order_id: UUID
    id: UUID
    cause: ChangeCause
    actor: str
    reason: str | None
    total_before_minor: int
    total_after_minor: int
    requested_at: datetime
    state: EditState = EditState.REDUCING
    forced: bool = False
    wanted: Content | None = None
    asked_off: dict[int, int] = field(default_factory=dict)
    asked_on: dict[int, int] = field(default_factory=dict)
    stopped: dict[int, int] = field(default_factory=dict)
    not_stopped: dict[int, int] = field(default_factory=dict)
    missing: dict[int, int] = field(default_factory=dict)
    number: int | None = None
    due_change_minor: int = 0
    undone_by: UUID | None = None
    settled_at: datetime | None = None
    question_id: UUID | None = None
    notify_customer: bool = False
    public_comment: str | None = None

    @property
    def is_open(self) -> bool:
        """Return whether fulfillment's answer is outstanding."""
        return self.state in OPEN

    @property
    def command_type(self) -> str:
        """Return the type of its command."""
        return COMMAND_TYPES[self.cause]
