"""Staff's commands: sent once per Idempotency-Key, then awaited.

A command is a row and a message in one transaction, so it is neither lost nor sent without a record of who
requested it. The unique index on (shop, idempotency_key) decides which of two requests with one key is first;
the second gets the first one's command, or an error if its own content differs.
"""

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts.catalogue import type_of
from contracts.envelope import uuid7
from contracts.message import Command
from services.chassis.background.grouping import GroupCommit
from services.chassis.messaging.process import Transactions
from services.orders.api.actions import store as api_store
from services.orders.order.unit.waiting import waiting

WAIT_SECONDS = 2.0
_NO_ID = UUID(int=0)


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """A command to send."""

    command_id: UUID
    shop: str
    order_id: UUID | None
    key: str
    request_hash: bytes
    message: Command

    @property
    def type(self) -> str:
        """Return the command's type on the wire."""
        return type_of(type(self.message), "orders")

    @property
    def actor(self) -> str:
        """Return who requested the command."""
        actor: str = self.message.actor  # type: ignore[attr-defined]
        return actor


@dataclass(frozen=True, slots=True)
class Sent:
    """A stored command; `is_settled` when it already had an outcome, `row` if it was sent by this request."""

    command_id: UUID
    is_settled: bool = False
    row: api_store.Row | None = None


class KeyTaken(Exception):
    """The Idempotency-Key already belongs to a command with different content."""

    def __init__(self, key: str, command_id: UUID, type: str) -> None:
        super().__init__(
            f"Idempotency-Key {key!r} was used for another request, command {command_id} ({type}); "
            "send a new key for a new command, or the very same request again"
        )
        self.command_id = command_id


def asking(shop: str, order_id: UUID | None, key: str, message: Callable[[UUID], Command]) -> CommandRequest:
    """Return the command that `message` makes with a server-generated id, which also names what it creates.

    The hash covers the caller and everything the caller decided, not the id, so that a repeat is recognized.
    """
    command_id = uuid7()
    blank = message(_NO_ID)
    content = f"{type(blank).wire_name}\n{blank.model_dump_json()}"
    return CommandRequest(
        command_id, shop, order_id, key, hashlib.sha256(content.encode()).digest(), message(command_id)
    )


class Commands:
    """Sender of this process's commands: many requests in one transaction, with a wait for outcomes."""

    def __init__(self, process: Transactions) -> None:
        self._process = process
        self._sender: GroupCommit[CommandRequest, Sent | KeyTaken] = GroupCommit(self._send)

    async def carry_out(self, asked: CommandRequest) -> api_store.Row:
        """Send a command once and wait up to `WAIT_SECONDS`; return its row, `pending` while there is no
        outcome.

        Raises KeyTaken.
        """
        sent = await self.send(asked)
        if not sent.is_settled:
            told = await waiting.hear(sent.command_id, WAIT_SECONDS, self._settled_among)
            if told is not None and sent.row is not None:
                return {**sent.row, **told._asdict()}
        async with self._process.acquire() as connection:
            row = await api_store.read_command(connection, asked.shop, sent.command_id)
        assert row is not None, f"command {sent.command_id} was committed a moment ago"
        return row

    async def send(self, asked: CommandRequest) -> Sent:
        """Send a command once without waiting for its outcome. Raises KeyTaken."""
        sent = await self._sender.submit(asked)
        if isinstance(sent, KeyTaken):
            raise sent
        return sent

    async def _send(self, batch: Sequence[CommandRequest]) -> list[Sent | KeyTaken]:
        async with self._process.unit() as unit:
            fresh = await api_store.add_commands(unit.connection, batch, unit.now)
            for asked in batch:
                if asked.command_id in fresh:
                    unit.emit(asked.message, shop=asked.shop, subject=asked.order_id, id=asked.command_id)
            repeats = [asked for asked in batch if asked.command_id not in fresh]
            known = await api_store.read_keys(unit.connection, repeats) if repeats else {}
        return [
            Sent(asked.command_id, row=_row(asked, unit.now))
            if asked.command_id in fresh
            else _repeat(asked, known[asked.shop, asked.key])
            for asked in batch
        ]

    async def _settled_among(self, command_ids: Collection[UUID]) -> list[UUID]:
        async with self._process.acquire() as connection:
            return await api_store.settled_among(connection, command_ids)


def _row(asked: CommandRequest, requested_at: datetime) -> api_store.Row:
    """Return the row that `api_store.read_command` returns for a command without an outcome."""
    return {
        "command_id": asked.command_id,
        "order_id": asked.order_id,
        "type": asked.type,
        "actor": asked.actor,
        "requested_at": requested_at,
    }


def _repeat(asked: CommandRequest, first: api_store.Row) -> Sent | KeyTaken:
    if first["request_hash"] == asked.request_hash:
        return Sent(first["command_id"], first["state"] != "pending")
    return KeyTaken(asked.key, first["command_id"], first["type"])
