"""Signing in with login and password, at most so many failures per login and per address in a quarter of an hour.

A try is noted as failed before the password is looked at and forgiven afterwards, so that tries side by side can't
pass the limit. What is refused for the limit is not noted again: the table does not grow with an attack.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from contracts.envelope import uuid7
from services.chassis.database import Connection
from services.orders.backoffice.access import passwords, sessions, store
from services.orders.backoffice.access.sessions import Lifetime
from services.orders.backoffice.translating import N_

WINDOW = timedelta(minutes=15)
PER_LOGIN, PER_ADDRESS = 10, 50
TOO_MANY = N_("Too many failed attempts. Wait a quarter of an hour, then try again.")
Acquire = Callable[[], AbstractAsyncContextManager[Connection]]


@dataclass(frozen=True)
class SignedIn:
    """The right password: the browser's new token."""

    token: str
    staff_id: UUID
    shop: str
    login: str


class WrongPassword(Exception):
    """Login and password do not fit, or nobody may come in with them. Which of these is told to nobody."""


class TooManyAttempts(Exception):
    """This login or this address failed too often; it may try again after `WINDOW`."""


async def sign_in(
    acquire: Acquire, login: str, password: str, lifetime: Lifetime, address: str, user_agent: str
) -> SignedIn:
    """Check the password and start a session. Raises WrongPassword, TooManyAttempts."""
    row = await checked(acquire, login, password, address)
    better = await passwords.hashed(password) if passwords.is_outdated(row["password_hash"]) else None
    async with acquire() as connection:
        if better is not None:
            await store.set_password(connection, row["staff_id"], better, datetime.now(UTC))
        token = await sessions.start(connection, row["staff_id"], lifetime, address, user_agent)
    return SignedIn(token, row["staff_id"], row["shop"], row["login"])


async def checked(acquire: Acquire, login: str, password: str, address: str) -> store.Row:
    """The person whose login and password these are. Raises WrongPassword, TooManyAttempts.

    No connection is held while the password is hashed: a crowd at the door must not stop who is inside.
    """
    login = normal(login)
    async with acquire() as connection:
        attempt = await _allowed_attempt(connection, login, address, datetime.now(UTC))
        row = await store.read_login(connection, login)
    fits = await passwords.fits(password, row["password_hash"] if row else None)
    if row is None or not fits or row["disabled_at"] is not None:
        raise WrongPassword
    async with acquire() as connection:
        await store.forgive_attempt(connection, attempt)
    return row


async def _allowed_attempt(connection: Connection, login: str, address: str, now: datetime) -> UUID:
    attempt, login_hash = uuid7(), sessions.digest(login)
    before = await store.count_failures(connection, login_hash, address, now - WINDOW)
    if before["by_login"] >= PER_LOGIN or before["by_address"] >= PER_ADDRESS:
        raise TooManyAttempts
    await store.add_attempt(connection, attempt, login_hash, address, now)
    failures = await store.count_failures(connection, login_hash, address, now - WINDOW)
    if failures["by_login"] > PER_LOGIN or failures["by_address"] > PER_ADDRESS:
        raise TooManyAttempts
    return attempt


def normal(login: str) -> str:
    """A login as it is stored: without blanks around it, in lower case."""
    return login.strip().lower()[:254]
