"""A service of two tables for the chassis' tests: it hears some of what fulfillment hears and does what `actor` asks.

`seen` has no unique key on purpose: whatever is done twice stands there twice.
"""

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg

from contracts.fulfillment.stock import SetStock, StockLevel
from contracts.service import CommandDone
from deploy.databases import with_credentials
from services import fulfillment as service
from services.chassis.messaging.subscribers import (
    Handler,
    ReceivedMessage,
    Refuse,
    Subscribers,
    UnitOfWork,
    Wait,
)
from services.chassis.messaging.unit import Unit
from services.chassis.storage.migrating import migrate

TABLES = """
CREATE TABLE seen (event_id uuid NOT NULL, sku text NOT NULL, attempts integer NOT NULL);
CREATE TABLE opened (key text NOT NULL);
"""
SHOP = "atelier"
PATIENCE = timedelta(hours=1)

faulty: set[str] = set()
"""SKUs whose messages fail, for as long as they are in here."""


@dataclass
class Needs:
    """What messages to the sample service need loaded."""

    keys: set[str] = field(default_factory=set)


class Notebook(UnitOfWork[Needs]):
    """What one unit of the sample service works on."""

    needs = Needs

    def __init__(self, unit: Unit) -> None:
        super().__init__(unit)
        self.opened: set[str] = set()
        self.to_open: list[str] = []
        self.seen: list[tuple[UUID, str, int]] = []

    async def load(self, needs: Needs) -> None:
        rows = await self.unit.connection.fetch("SELECT key FROM opened WHERE key = ANY($1)", needs.keys)
        self.opened = {row["key"] for row in rows}

    async def save(self) -> None:
        connection = self.unit.connection
        if self.to_open:
            await connection.execute("INSERT INTO opened SELECT unnest($1::text[])", self.to_open)
        if self.seen:
            await connection.execute(
                "INSERT INTO seen SELECT * FROM unnest($1::uuid[], $2::text[], $3::integer[])",
                [row[0] for row in self.seen],
                [row[1] for row in self.seen],
                [row[2] for row in self.seen],
            )


def ask(actor: str = "note", sku: str = "MUG", on_hand: int = 1) -> SetStock:
    """The message by which a test tells the sample service what to do."""
    return SetStock(shop=SHOP, levels=[StockLevel(sku=sku, on_hand=on_hand)], actor=actor)


def do_as_asked(work: Notebook, received: ReceivedMessage[SetStock]) -> None:
    """`note`, `raise`, `raise-os`, `refuse`, `wait` for the SKU, `open` it, `overflow` a column, plan an `errand`."""
    message, sku = received.message, received.message.levels[0].sku
    if message.actor == "raise" or sku in faulty:
        raise ValueError(f"nobody can handle {sku}")
    if message.actor == "raise-os":
        raise FileNotFoundError("a template is missing")
    if message.actor == "refuse":
        raise Refuse("not_sold_here", f"{sku} is not sold here")
    if message.actor == "wait" and sku not in work.opened:
        raise Wait(f"sku:{sku}", "sku_unknown", PATIENCE)
    if message.actor == "open":
        work.opened.add(sku)
        work.to_open.append(sku)
        work.unit.wake(f"sku:{sku}")
    if message.actor == "errand":
        work.unit.plan("errand", f"errand:{received.envelope.id}", {"sku": sku})
    attempts = 2**40 if message.actor == "overflow" else received.attempts
    work.seen.append((received.envelope.id, sku, attempts))
    done = CommandDone(
        shop=message.shop, command_id=received.envelope.id, command_type=received.envelope.type
    )
    work.unit.emit(done, cause=received.envelope, subject=sku)


def by_sku(received: ReceivedMessage[SetStock]) -> list[str]:
    """The SKU whose key the message may wait for."""
    return [received.message.levels[0].sku]


subscribers = Subscribers(
    "fulfillment", Notebook, Handler(SetStock, do_as_asked, keys=by_sku), consumed=(SetStock,)
)


async def make_database(admin_url: str) -> str:
    """A migrated database of fulfillment with the sample's tables, and a role of its own; its URL."""
    name, password = f"sample_{secrets.token_hex(4)}", secrets.token_hex(12)
    admin = await asyncpg.connect(admin_url)
    await admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
    await admin.execute(f"CREATE DATABASE {name} OWNER {name}")
    await admin.close()
    url = with_credentials(admin_url, name, password)
    migrate(url, Path(str(service.__file__)).parent / "migrations")
    await make_tables(url)
    return url


async def make_tables(database_url: str) -> None:
    """The sample's tables in a migrated database of fulfillment."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(TABLES)
    await connection.close()


async def wipe(database_url: str) -> None:
    """Remove all rows, and what single tests have made."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        """DROP TABLE IF EXISTS people; DROP SEQUENCE IF EXISTS tries;
           DROP FUNCTION IF EXISTS refuse CASCADE; DROP FUNCTION IF EXISTS clash CASCADE;
           TRUNCATE msg.event_log, msg.dispatch, msg.inbox, msg.parked, msg.effect, msg.timer, msg.replay, msg.resync,
               msg.erased, msg.pause, seen, opened"""
    )
    await connection.close()
