"""Sign-in with login and password, with a limit of failures per login and per address in fifteen minutes.

An attempt is stored as failed before the password is checked, and removed afterwards if it succeeded, so that
concurrent attempts cannot exceed the limit. An attempt refused because of the limit is not stored again: the
table does not grow during an attack. A known browser (`known_browsers.py`), or one that is signed in, has a
separate count: others cannot lock it out.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from contracts.envelope import uuid7
from services.chassis.storage.database import Connection
from services.orders.backoffice.access import known_browsers, passwords, sessions, store
from services.orders.backoffice.access.sessions import Lifetime
from services.orders.backoffice.language.translating import N_

WINDOW = timedelta(minutes=15)
PER_LOGIN, PER_ADDRESS = 10, 50
TOO_MANY = N_("Too many failed attempts. Wait 15 minutes, then try again.")
Acquire = Callable[[], AbstractAsyncContextManager[Connection]]


@dataclass(frozen=True)
class SignedIn:
    """A successful sign-in: the browser's new token, and the cookie that makes it a known browser."""

    token: str
    known: str
    staff_id: UUID
    shop: str
    login: str


class WrongPassword(Exception):
    """The login and password do not match, or the account may not sign in. The answer never reveals which."""


class TooManyAttempts(Exception):
    """This login or this address failed too often; it may try again after `WINDOW`."""


async def sign_in(
    acquire: Acquire,
    login: str,
    password: str,
    lifetime: Lifetime,
    address: str,
    user_agent: str,
    known: str = "",
) -> SignedIn:
    """Check the password and start a session; `known`: the browser's cookie. Raises WrongPassword,
    TooManyAttempts.
    """
    row = await checked(acquire, login, password, address, known=known)
    better = await passwords.hashed(password) if passwords.is_outdated(row["password_hash"]) else None
    async with acquire() as connection:
        if better is not None:
            await store.set_password(connection, row["staff_id"], better, datetime.now(UTC))
        token = await sessions.start(connection, row["staff_id"], lifetime, address, user_agent)
    marked = known_browsers.issued(row["login"], better or row["password_hash"], datetime.now(UTC))
    return SignedIn(token, marked, row["staff_id"], row["shop"], row["login"])


async def checked(
    acquire: Acquire,
    login: str,
    password: str,
    address: str,
    *,
    known: str = "",
    session_id: UUID | None = None,
) -> store.Row:
    """Return the user with this login and password. Raises WrongPassword, TooManyAttempts.

    `known`, the browser's cookie, and `session_id`, of a browser that is signed in, give it a separate count.
    No connection is held while the password is hashed: many simultaneous sign-ins must not block users who are
    signed in.
    """
    login, now = normal(login), datetime.now(UTC)
    async with acquire() as connection:
        row = await store.read_login(connection, login)
        if session_id is not None:
            apart: bytes | None = sessions.digest(f"session {session_id}")
        else:
            apart = known_browsers.counted_as(known, login, row["password_hash"] if row else None, now)
        attempt = await _allowed_attempt(connection, login, address, now, apart)
    fits = await passwords.fits(password, row["password_hash"] if row else None)
    if row is None or not fits or row["disabled_at"] is not None:
        raise WrongPassword
    async with acquire() as connection:
        await store.mark_attempt_successful(connection, attempt)
    return row


async def _allowed_attempt(
    connection: Connection, login: str, address: str, now: datetime, apart: bytes | None
) -> UUID:
    """Store an attempt, if it is allowed. `apart`: the key it is counted under instead of its login and
    address.
    """
    attempt, counted = uuid7(), apart or sessions.digest(login)
    per_address = PER_ADDRESS if apart is None else None
    before = await store.count_failures(connection, counted, address, now - WINDOW)
    if before["by_login"] >= PER_LOGIN or (per_address and before["by_address"] >= per_address):
        raise TooManyAttempts
    await store.add_attempt(connection, attempt, counted, address, now)
    failures = await store.count_failures(connection, counted, address, now - WINDOW)
    if failures["by_login"] > PER_LOGIN or (per_address and failures["by_address"] > per_address):
        raise TooManyAttempts
    return attempt


def normal(login: str) -> str:
    """Return a login as it is stored: trimmed, in lower case."""
    return login.strip().lower()[:254]
