"""Passwords: argon2id, hashed and checked in threads, two at a time: each takes 64 MiB and about 50 ms.

Invariant: an unknown login takes as long to reject as a wrong password, so that logins cannot be discovered.
"""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.orders.backoffice.language.translating import N_

SHORTEST, LONGEST = 12, 200
TOO_SHORT = N_("Choose at least 12 characters; several words are fine.")
TOO_LONG = N_("Choose at most 200 characters.")
TOO_PLAIN = N_("Choose something harder to guess: other characters, not your own address.")

_hasher = PasswordHasher()
_places = asyncio.Semaphore(2)
_NOBODYS = _hasher.hash("nobody has this password")


def objection(password: str, login: str) -> str | None:
    """Return why this password is not acceptable, as a text to be translated; None when it is."""
    if len(password) < SHORTEST:
        return TOO_SHORT
    if len(password) > LONGEST:
        return TOO_LONG
    plain = password.casefold()
    if len(set(plain)) < 5 or login in plain or plain in login:
        return TOO_PLAIN
    return None


async def hashed(password: str) -> str:
    """Return the hash to be stored, with its parameters."""
    async with _places:
        return await asyncio.to_thread(_hasher.hash, password)


async def fits(password: str, stored: str | None) -> bool:
    """Return whether the password matches the stored hash; just as slow when there is none."""
    if len(password) > LONGEST:
        password, stored = "", None
    async with _places:
        return await asyncio.to_thread(_verify, password, stored or _NOBODYS) and stored is not None


def is_outdated(stored: str) -> bool:
    """Return whether the hash was made with weaker parameters than the current ones."""
    return _hasher.check_needs_rehash(stored)


def _verify(password: str, stored: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
