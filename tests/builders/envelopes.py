"""Messages in envelopes, as their senders publish them, delivered to a service one by one or in one batch."""

from collections.abc import Sequence

from contracts.envelope import Envelope
from contracts.message import Message
from services.chassis.testing import Desk, Outcome, envelope_for

Batch = list[tuple[Envelope, Message, str | None]]
Answer = tuple[str, list[str]]


def enveloped(service: str, messages: Sequence[Message]) -> Batch:
    """The messages in envelopes of their own."""
    return [(envelope_for(service, message), message, None) for message in messages]


def framed(message: Message, listener: str) -> tuple[Envelope, bytes]:
    """Return a message as its sender puts it on the wire."""
    return envelope_for(listener, message), message.model_dump_json(exclude_none=True).encode()


async def deliver(desk: Desk, batch: Batch, *, together: bool) -> list[Outcome]:
    """Deliver them in one commit, or each in a commit of its own."""
    parts = [batch] if together else [[one] for one in batch]
    return [outcome for part in parts for outcome in await desk.deliver_all(part)]


def answers(outcomes: Sequence[Outcome], *, but: tuple[type[Message], ...] = ()) -> list[Answer]:
    """How each message ended and what was said because of it; `but`: classes that a batch may tell once for several."""
    return [
        (outcome.result, sorted(type(m).__name__ for _, m in outcome.emitted if not isinstance(m, but)))
        for outcome in outcomes
    ]
