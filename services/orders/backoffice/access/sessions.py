"""Sessions: the identity of a browser, by an opaque token of which the database stores only the hash.

A session ends when it was idle for too long, at its absolute expiry, when it is revoked, and when its user is
disabled. Changing the password ends all other sessions. `last_seen_at` is written at most once a minute.
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
        """Return the user's name in commands and in the activity."""
        return self.login

    def may(self, demand: Demand) -> bool:
        """Return whether the user's role allows it."""
        return may(self.role, demand)


@dataclass(frozen=True)
class Lifetime:
    """The lifetime of sessions."""

    idle: timedelta
    whole: timedelta


@dataclass(frozen=True)
class SessionLookup:
    """The session of a cookie's token: with its user while it is valid, otherwise only with its owner's id."""

    person: Person | None = None
    staff_id: UUID | None = None


def digest(token: str) -> bytes:
    """Return the stored hash of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def mark_of(staff_id: UUID | None) -> str:
    """Return the mark of a user's forms, which their keys end with; "" for nobody."""
    return f"s{hashlib.sha256(staff_id.bytes).hexdigest()[:12]}" if staff_id else ""


async def start(
    connection: Connection, staff_id: UUID, lifetime: Lifetime, address: str, user_agent: str
) -> str:
    """Sign a browser in and return its token."""
    token, now = secrets.token_urlsafe(32), datetime.now(UTC)
    await store.add_session(
        connection, uuid7(), digest(token), staff_id, now, now + lifetime.whole, address, user_agent[:300]
    )
    return token


async def find(
    connection: Connection, token: str, lifetime: Lifetime, *, is_use: bool = True
) -> SessionLookup:
    """Return the session of a token. `is_use`: the request comes from a person, not from a page that polls."""
    row, now = await store.read_session(connection, digest(token)), datetime.now(UTC)
    if row is None:
        return SessionLookup()
    if not counts(row, lifetime, now):
        return SessionLookup(None, row["staff_id"])
    if is_use and now - row["last_seen_at"] > SEEN_EVERY:
        await store.touch_session(connection, row["session_id"], now)
    return SessionLookup(_person(row), row["staff_id"])


def counts(row: store.Row, lifetime: Lifetime, now: datetime) -> bool:
    """Return whether a session is still valid."""
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
