"""Mapping of events to the commands that they settle, from the catalogue."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from contracts.catalogue import CATALOGUE
from contracts.service import CommandDone, CommandRejected, MessageDiscarded, MessageParked
from services.chassis.messaging.subscribers import ReceivedMessage


def _commands_by_outcome() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for entry in CATALOGUE.values():
        if entry.sender == "orders":
            for outcome in entry.outcomes:
                found[outcome].add(entry.type)
    return {outcome: frozenset(commands) for outcome, commands in found.items()}


SETTLES = _commands_by_outcome()
"""Types of commands by the type of an event that is one of their outcomes."""


def commands_named(received: ReceivedMessage[Any]) -> set[UUID]:
    """Return the ids that may be those of commands settled by this message."""
    if received.envelope.type not in SETTLES:
        return set()
    message = received.message
    named = {received.envelope.causation_id}
    if isinstance(message, CommandRejected | CommandDone):
        named.add(message.command_id)
    if isinstance(message, MessageParked | MessageDiscarded):
        named.add(message.message_id)
    return {command_id for command_id in named if command_id is not None}
