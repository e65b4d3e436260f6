"""Encryption of stored secrets: Fernet, with a key from the settings that the database never sees. Pure.

What is sealed names its place (slug and name of the secret), so that a row copied to another endpoint by
somebody with access to the database is not accepted there. Several keys are accepted while one replaces
another: the first seals.
"""

import json

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

SHOWN_CHARACTERS = 4


class SecretUnreadable(Exception):
    """A stored secret was sealed with another key, or for another place; it has to be entered again."""


class Vault:
    """The keys of this process. Without a key nothing can be sealed or opened."""

    def __init__(self, keys: SecretStr | None) -> None:
        parts = keys_in(keys) if keys is not None else []
        self._fernet = MultiFernet([Fernet(part) for part in parts]) if parts else None

    @property
    def has_key(self) -> bool:
        return self._fernet is not None

    def seal(self, slug: str, name: str, value: str) -> bytes:
        """Return a secret encrypted for its place. Raises LookupError without a key."""
        if self._fernet is None:
            raise LookupError("COMPTOIR_PAYMENTS_SECRETS_KEY is not set")
        return self._fernet.encrypt(json.dumps([slug, name, value]).encode())

    def open(self, slug: str, name: str, sealed: bytes) -> str:
        """Return the secret of a place. Raises SecretUnreadable."""
        if self._fernet is None:
            raise SecretUnreadable("COMPTOIR_PAYMENTS_SECRETS_KEY is not set")
        try:
            place = json.loads(self._fernet.decrypt(sealed))
        except InvalidToken:
            raise SecretUnreadable("it was encrypted with a key that is not set any more") from None
        if place[:2] != [slug, name]:
            raise SecretUnreadable("it was stored for another endpoint")
        return str(place[2])


def keys_in(keys: SecretStr) -> list[str]:
    """Return the keys of the setting, the one that seals first."""
    return keys.get_secret_value().replace(",", " ").split()


def shown_part(value: str) -> str:
    """Return the part of a secret that may be shown: its last characters, nothing of a short one."""
    return value[-SHOWN_CHARACTERS:] if len(value) >= 4 * SHOWN_CHARACTERS else ""
