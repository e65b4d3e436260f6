"""The one idempotent action: what staff or a program request, carried out at most once per key.

REST, pages and bulk runs all make an `Action` and hand it to `Actions`. Either this service does it (`act`), or
it is a command: a message to the service that does. Invariant: the key, what is done here or the command's
message, and an outcome that is known immediately are one transaction. A repeat gets the first one's outcome, a key
with other content is KeyTaken, and an action that raises leaves nothing, not even its key.

The unique index on (shop, idempotency_key) decides which of two requests is first. The hash covers the caller
and everything the caller decided, never ids made here. Hashes are stored: one that is computed differently would
turn a repeat across an upgrade into KeyTaken.
"""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Generic, TypeVar
from uuid import UUID

from contracts.catalogue import type_of
from contracts.envelope import uuid7
from contracts.message import Command
from services.chassis.background.group_commit import GroupCommit
from services.chassis.messaging.process import Transactions
from services.chassis.messaging.unit import Unit
from services.orders.api.actions import store as api_store
from services.orders.order import history_store
from services.orders.order.history import Seen, require_seen, rivals_of
from services.orders.order.unit.waiting import waiting

WAIT_SECONDS = 2.0
_NO_ID = UUID(int=0)
T = TypeVar("T")


class Settles(Enum):
    """When the outcome of an act that stores it itself is there: with its transaction, or later."""

    NOW = "now"
    LATER = "later"


Act = Callable[[Unit], Awaitable[Mapping[str, Any] | Settles]]
"""What this service does, in a unit of work. Returns the outcome as JSON, or when it stores one itself."""


@dataclass(frozen=True, slots=True)
class Action:
    """A requested action: `act` if this service does it, else the `message` of the command.

    `type` is written like a message's. `command_id` also names what a command creates.
    """

    shop: str
    order_id: UUID | None
    key: str
    type: str
    actor: str
    request_hash: bytes
    message: Command | None = None
    act: Act | None = None
    command_id: UUID = field(default_factory=uuid7)


@dataclass(frozen=True, slots=True)
class Sent:
    """A stored action; `is_settled` when it already has an outcome, `row` if this request sent a command."""

    command_id: UUID
    is_settled: bool = False
    row: api_store.Row | None = None


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """The result of a form's action; a repeat has none."""

    result: T | None
    is_repeat: bool = False


class KeyTaken(Exception):
    """The idempotency key already belongs to an action with other content."""

    def __init__(self, key: str, command_id: UUID | None = None, type: str = "form") -> None:
        super().__init__(
            f"Idempotency-Key {key!r} was used for another request, command {command_id} ({type}); "
            "send a new key for a new command, or the very same request again"
        )
        self.command_id = command_id


def command(shop: str, order_id: UUID | None, key: str, message: Callable[[UUID], Command]) -> Action:
    """Return the command that `message` makes with a server-generated id, which also names what it creates."""
    command_id = uuid7()
    blank, sent_message = message(_NO_ID), message(command_id)
    actor: str = sent_message.actor  # type: ignore[attr-defined]
    return Action(
        shop,
        order_id,
        key,
        type_of(type(sent_message), "orders"),
        actor,
        _hashed(type(blank).wire_name, blank.model_dump_json()),
        message=sent_message,
        command_id=command_id,
    )


def own_action(
    shop: str,
    order_id: UUID | None,
    key: str,
    type: str,
    actor: str,
    content: str,
    act: Act,
    command_id: UUID | None = None,
) -> Action:
    """Return an action of this service. `content` is everything the caller decided, as JSON."""
    digest = _hashed(type, order_id, actor, content)
    return Action(shop, order_id, key, type, actor, digest, act=act, command_id=command_id or uuid7())


class Actions:
    """Actions of this process: each carried out once, with a wait for its outcome."""

    def __init__(self, process: Transactions) -> None:
        self._process = process
        self._commands: GroupCommit[Action, Sent | KeyTaken] = GroupCommit(self._send_commands)

    async def carry_out(self, action: Action) -> api_store.Row:
        """Carry an action out once and wait up to `WAIT_SECONDS`; return its row, `pending` while there is no
        outcome.

        Raises KeyTaken, and what the act raises.
        """
        return await self._outcome(action, await self.send(action))

    async def carry_out_as_seen(self, wanted: Sequence[Action], seen: Seen) -> list[api_store.Row]:
        """Carry out the commands of one form about one order, all or none, if the order still is as the form shows it;
        return their rows as `carry_out` does. A repeat is not checked: it has changed the order itself.

        Raises KeyTaken, Stale.
        """
        sent = await self._send_as_seen(wanted, seen)
        return await asyncio.gather(*map(self._outcome, wanted, sent))

    async def _outcome(self, action: Action, sent: Sent) -> api_store.Row:
        if not sent.is_settled:
            outcome = await waiting.wait_for_outcome(sent.command_id, WAIT_SECONDS, self._settled_among)
            if outcome is not None and sent.row is not None:
                return {**sent.row, **outcome._asdict()}
        row = await self.find(action.shop, sent.command_id)
        assert row is not None, f"command {sent.command_id} was committed a moment ago"
        return row

    async def send(self, action: Action) -> Sent:
        """Carry an action out once without waiting for its outcome. Raises KeyTaken, and what the act raises."""
        act = action.act
        sent = await (self._commands.submit(action) if act is None else self._act(action, act))
        return _or_raise(sent)

    async def wait(self, shop: str, command_id: UUID) -> api_store.Row | None:
        """Return a command that was sent before, after up to `WAIT_SECONDS` while it has no outcome."""
        if not await self._settled_among([command_id]):
            await waiting.wait(command_id, WAIT_SECONDS, self._settled_among)
        return await self.find(shop, command_id)

    async def find(self, shop: str, command_id: UUID) -> api_store.Row | None:
        """Return a command of the shop and its outcome."""
        async with self._process.acquire() as connection:
            return await api_store.read_command(connection, shop, command_id)

    async def do(self, shop: str, key: str, content: bytes, act: Callable[[Unit], Awaitable[T]]) -> Done[T]:
        """Do what a form asks of this service, once per key; nobody looks its outcome up by an id.

        `content` is the hash of the form. Raises KeyTaken, and what the act raises.
        """
        async with self._process.unit() as unit:
            if await api_store.claim_form(unit.connection, shop, key, content, unit.now):
                return Done(await act(unit))
            if await api_store.read_form_hash(unit.connection, shop, key) != content:
                raise KeyTaken(key)
        return Done(None, is_repeat=True)

    async def _act(self, action: Action, act: Act) -> Sent | KeyTaken:
        async with self._process.unit() as unit:
            if await api_store.add_commands(unit.connection, [action], unit.now):
                outcome = await act(unit)
                if not isinstance(outcome, Settles):
                    await _settle(unit, action, outcome)
                return Sent(action.command_id, outcome is not Settles.LATER)
            known = await api_store.read_keys(unit.connection, [action])
        return _repeat(action, known[action.shop, action.key])

    async def _send_as_seen(self, wanted: Sequence[Action], seen: Seen) -> list[Sent]:
        shop, order_id = wanted[0].shop, wanted[0].order_id
        assert order_id is not None, "the form is about an order"
        async with self._process.unit() as unit:
            await api_store.lock_order(unit.connection, shop, order_id)
            stored = [_or_raise(sent) for sent in await self._store(unit, wanted)]
            own = {sent.command_id for sent in stored if sent.row is not None}
            if own:
                rivals = rivals_of(action.type for action in wanted)
                rows = await api_store.read_standing(unit.connection, shop, order_id, rivals)
                await require_seen(unit.connection, shop, order_id, rows, seen, own)
        return stored

    async def _send_commands(self, batch: Sequence[Action]) -> list[Sent | KeyTaken]:
        async with self._process.unit() as unit:
            return await self._store(unit, batch)

    async def _store(self, unit: Unit, batch: Sequence[Action]) -> list[Sent | KeyTaken]:
        fresh = await api_store.add_commands(unit.connection, batch, unit.now)
        for action in batch:
            if action.command_id in fresh and action.message is not None:
                unit.emit(action.message, shop=action.shop, subject=action.order_id, id=action.command_id)
        repeats = [action for action in batch if action.command_id not in fresh]
        known = await api_store.read_keys(unit.connection, repeats) if repeats else {}
        return [
            Sent(action.command_id, row=_row(action, unit.now))
            if action.command_id in fresh
            else _repeat(action, known[action.shop, action.key])
            for action in batch
        ]

    async def _settled_among(self, command_ids: Collection[UUID]) -> list[UUID]:
        async with self._process.acquire() as connection:
            return await api_store.settled_among(connection, command_ids)


def _hashed(*parts: object) -> bytes:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).digest()


async def _settle(unit: Unit, action: Action, outcome: Mapping[str, Any]) -> None:
    text = json.dumps({"type": action.type, **outcome}, ensure_ascii=False)
    row = history_store.OutcomeRow(action.command_id, "done", text)
    await history_store.settle_commands(unit.connection, [row], unit.now)


def _row(action: Action, requested_at: datetime) -> api_store.Row:
    """Return the row that `api_store.read_command` returns for a command without an outcome."""
    return {
        "command_id": action.command_id,
        "order_id": action.order_id,
        "type": action.type,
        "actor": action.actor,
        "requested_at": requested_at,
    }


def _or_raise(sent: Sent | KeyTaken) -> Sent:
    if isinstance(sent, KeyTaken):
        raise sent
    return sent


def _repeat(action: Action, first: api_store.Row) -> Sent | KeyTaken:
    if first["request_hash"] == action.request_hash:
        return Sent(first["command_id"], first["state"] != "pending")
    return KeyTaken(action.key, first["command_id"], first["type"])
