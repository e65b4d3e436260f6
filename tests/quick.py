"""Costs that tests leave out, because they depend on neither the test nor the code: the certificates that HTTP clients
trust are loaded once and not for each of the thousands of clients (25 ms each), and passwords are hashed cheaply
and not in the quarter of a second of all processors that production takes on purpose.
"""

import os
import ssl
from collections.abc import Callable
from functools import cache
from typing import Any

import httpcore2
from argon2 import PasswordHasher

from services.orders.backoffice.access import passwords

STRONG_HASHER = passwords._hasher
QUICK_HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
_load = httpcore2.default_ssl_context


def share_certificates() -> None:
    """Have all HTTP clients of this process share the context of those that trust the system's authorities."""
    httpcore2.default_ssl_context = _shared


def hash_quickly(setattr_: Callable[[Any, str, Any], None] = setattr) -> None:
    """Have the back office in this process hash passwords quickly."""
    setattr_(passwords, "_hasher", QUICK_HASHER)
    setattr_(passwords, "_NOBODYS", QUICK_HASHER.hash("nobody has this password"))


def _shared(*, _trust_env: bool = True) -> ssl.SSLContext:
    named = (os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")) if _trust_env else ()
    return _loaded(_trust_env, named)


@cache
def _loaded(trust_env: bool, named: tuple[str | None, ...]) -> ssl.SSLContext:
    return _load(_trust_env=trust_env)
