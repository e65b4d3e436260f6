"""Sessions: who a browser is, by an opaque token of which the database knows the hash alone.

A session ends when it was idle for too long, when its time is over whatever happens, when it is revoked, and with its
person's being disabled. Changing the password ends all others. `last_seen_at` is written once a minute at most.
"""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from contracts.envelope import uuid7
from services.chassis.storage.database import Connection
from services.orders.backoffice.access import store
from services.orders.backoffice.access.permissions import Demand, Role, may

SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Person:
    """A member of staff whose browser is signed in."""

    staff_id: UUID
    session_id: UUID
    shop: str
    login: str
    name: str
    role: Role
    preferences: dict[str, Any] = field(default_factory=dict)

    @property
    def actor(self) -> str:
        """How commands and the activity name them."""
        return self.login

    def may(self, demand: Demand) -> bool:
        """Whether their role allows it."""
        return may(self.role, demand)


@dataclass(frozen=True)
class Lifetime:
    """How long sessions last."""

    idle: timedelta
    whole: timedelta


@dataclass(frozen=True)
class FoundSession:
    """What a cookie's token stands for: a person while the session counts, else only whose it was."""

    person: Person | None = None
    staff_id: UUID | None = None


def digest(token: str) -> bytes:
    """What is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


async def start(
    connection: Connection, staff_id: UUID, lifetime: Lifetime, address: str, user_agent: str
) -> str:
    """Sign a browser in; its token."""
    token, now = secrets.token_urlsafe(32), datetime.now(UTC)
    await store.add_session(
        connection, uuid7(), digest(token), staff_id, now, now + lifetime.whole, address, user_agent[:300]
    )
    return token


async def find(
    connection: Connection, token: str, lifetime: Lifetime, *, is_use: bool = True
) -> FoundSession:
    """Whose session this is. `is_use`: being asked by a person, not by a page that looks after itself."""
    row, now = await store.read_session(connection, digest(token)), datetime.now(UTC)
    if row is None:
        return FoundSession()
    if not counts(row, lifetime, now):
        return FoundSession(None, row["staff_id"])
    if is_use and now - row["last_seen_at"] > SEEN_EVERY:
        await store.touch_session(connection, row["session_id"], now)
    return FoundSession(_person(row), row["staff_id"])


def counts(row: store.Row, lifetime: Lifetime, now: datetime) -> bool:
    """Whether a session still lets its person in."""
    return (
        row["revoked_at"] is None
        and row["disabled_at"] is None
        and now < row["expires_at"]
        and now - row["last_seen_at"] < lifetime.idle
    )


def _person(row: store.Row) -> Person:
    return Person(
        staff_id=row["staff_id"],
        session_id=row["session_id"],
        shop=row["shop"],
        login=row["login"],
        name=row["name"],
        role=Role(row["role"]),
        preferences=json.loads(row["preferences"]),
    )
