"""A requested change of a placed order that was answered, as it is stored."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from contracts.orders.changes import ChangeCause


class ChangeKind(StrEnum):
    """Direction in which an order was changed."""

    REDUCTION = "reduction"
    ADDITION = "addition"
    REFUND = "refund"


REFUNDED = "refunded"
"""Cause of a change made by a refund."""


@dataclass(frozen=True, slots=True)
class Change:
    """A request and its answer: units by line that were stopped or added, and those that could not be."""

    request_id: UUID
    kind: ChangeKind
    cause: ChangeCause | str
    done: dict[int, int]
    refused: dict[int, int]
    actor: str
