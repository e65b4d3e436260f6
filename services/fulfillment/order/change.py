"""An asked change of a placed order that was answered, as it is kept."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from contracts.orders import ChangeCause


class ChangeKind(StrEnum):
    """Which way an order was changed."""

    REDUCTION = "reduction"
    ADDITION = "addition"
    REFUND = "refund"


REFUNDED = "refunded"
"""The cause of a change that a refund brings."""


@dataclass(frozen=True, slots=True)
class Change:
    """A request and its answer: units by line that were stopped or added, and those that could not be."""

    request_id: UUID
    kind: ChangeKind
    cause: ChangeCause | str
    done: dict[int, int]
    refused: dict[int, int]
    actor: str
