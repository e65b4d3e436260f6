"""Settings with a secret in them of a whole installation: every program's, as the files of COMPTOIR_SECRETS_DIR.

`deploy.compose` writes them to folders, `deploy.kubernetes.secrets` as Secrets. Passwords are random and kept in one
file, so that a second run changes nothing that exists and adds what is new, such as another storefront's login.
"""

import json
import os
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from cryptography.fernet import Fernet

from contracts.catalogue import SERVICES, STOREFRONT
from deploy.cli.environment import database_variable
from deploy.databases import PREFIX
from deploy.topology import password_variable, storefronts_of
from services.chassis.messaging.topology import Storefront, permissions

ADMINISTRATOR, MONITOR = "administrator", "monitor"
"""Broker users: the one that applies the topology, and the one that the back office and KEDA read queues with."""
POSTGRES_ADMINISTRATOR = "postgres"
OPERATOR, AUDITOR, MIGRATE = "operator", "auditor", "migrate"
OWNER = {**{service: service for service in SERVICES}, "backoffice": "orders", "page": "notifier"}
"""Database and broker user by program."""
Files = dict[str, dict[str, str]]
"""Settings by program and by name of the file, in lower case."""


class Passwords:
    """Random passwords by name, kept in a JSON file that only its owner can read."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known = _read(file) if file.exists() else {}

    def of(self, name: str, make: Callable[[], str] = lambda: secrets.token_urlsafe(24)) -> str:
        """Return the password `name`, made when it is new."""
        if name not in self._known:
            self._known[name] = make()
        return self._known[name]

    def with_known(self, storefronts: Iterable[Storefront]) -> list[Storefront]:
        """Return these storefronts with those that have a password already, by name. Raises ValueError for a known one
        that can't be one."""
        logins = (name.removeprefix("broker ") for name in self._known)
        words = (
            login.removeprefix(f"{STOREFRONT}.") for login in logins if login.startswith(f"{STOREFRONT}.")
        )
        try:
            known = storefronts_of(" ".join(words))
        except ValueError as error:
            raise ValueError(f"{self._file}: {error}; remove its line and run this again") from None
        return sorted({*storefronts, *known}, key=lambda one: one.name)

    def save(self) -> None:
        """Write all passwords, so that the file is never half written and never readable by others."""
        new = self._file.with_suffix(".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(self._known, file, indent=2, sort_keys=True)
        new.replace(self._file)


def _read(file: Path) -> dict[str, str]:
    remedy = "restore it from your copy: with new passwords nothing could reach its database or the broker"
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{file} can't be read as passwords ({error}); {remedy}") from None
    if not isinstance(found, dict) or not all(isinstance(one, str) for one in found.values()):
        raise ValueError(f"{file} must be a JSON object of passwords by name; {remedy}")
    return found


@dataclass(frozen=True)
class Installation:
    """Where the servers answer, as `host:port`, and which storefronts publish. `has_tls`: the broker's ports are those
    with TLS."""

    postgres: str
    amqp: str
    management: str
    passwords: Passwords
    storefronts: Sequence[Storefront] = field(default_factory=tuple)
    vhost: str = "comptoir"
    has_tls: bool = False

    def database_url(self, service: str) -> str:
        """Return the URL of a service's database, with its role."""
        name = f"{PREFIX}{service}"
        password = quote(self.database_password(service), safe="")
        return f"postgresql://{name}:{password}@{self.postgres}/{name}"

    def database_password(self, service: str) -> str:
        """Return the password of a service's role."""
        return self.passwords.of(f"database {service}")

    def broker_password(self, user: str) -> str:
        """Return the password of a broker's user."""
        return self.passwords.of(f"broker {user}")

    def amqp_url(self, user: str) -> str:
        """Return the broker's URL for a user."""
        login = f"{quote(user, safe='')}:{quote(self.broker_password(user), safe='')}"
        return f"{'amqps' if self.has_tls else 'amqp'}://{login}@{self.amqp}/{quote(self.vhost, safe='')}"

    def management_url(self, user: str) -> str:
        """Return the URL of the broker's management for a user."""
        login = f"{quote(user, safe='')}:{quote(self.broker_password(user), safe='')}"
        return f"{self._http}://{login}@{self.management}"

    @property
    def management_address(self) -> str:
        """Return the URL of the broker's management without a user."""
        return f"{self._http}://{self.management}"

    @property
    def _http(self) -> str:
        return "https" if self.has_tls else "http"

    @property
    def postgres_password(self) -> str:
        """Return the password of PostgreSQL's superuser."""
        return self.passwords.of("postgres")

    @property
    def metrics_token(self) -> str:
        """Return the token that opens metrics only."""
        return self.passwords.of("metrics token")


def given_storefronts(words: Sequence[str]) -> list[Storefront]:
    """Return the storefronts of arguments. Raises ValueError."""
    if not all(word.strip() for word in words):
        raise ValueError("a storefront is empty: give SHOP.MODULE, such as maison.shop")
    return storefronts_of(" ".join(words))


def files_of(installation: Installation) -> Files:
    """Return the files of every program, of the auditor, of migrations, and of the operator's commands."""
    tokens = {
        "comptoir_internal_token": installation.passwords.of("internal token"),
        "comptoir_metrics_token": installation.metrics_token,
    }
    databases = {
        database_variable(service).lower(): installation.database_url(service) for service in SERVICES
    }
    files: Files = {
        program: {
            "comptoir_database_url": installation.database_url(owner),
            "comptoir_amqp_url": installation.amqp_url(owner),
            "comptoir_broker_management_url": installation.management_address,
            **tokens,
        }
        for program, owner in OWNER.items()
    }
    files["payments"]["comptoir_payments_secrets_key"] = installation.passwords.of(
        "payments secrets key", _fernet_key
    )
    files["backoffice"]["comptoir_rabbitmq_management_url"] = installation.management_url(MONITOR)
    files[AUDITOR] = {**databases, **tokens}
    files[MIGRATE] = dict(databases)
    files[OPERATOR] = {**databases, **tokens, **_administration(installation)}
    return files


def _administration(installation: Installation) -> dict[str, str]:
    storefronts = " ".join(f"{one.shop}.{one.module}" for one in installation.storefronts)
    admin = f"{POSTGRES_ADMINISTRATOR}:{quote(installation.postgres_password, safe='')}"
    return {
        "comptoir_postgres_admin_url": f"postgresql://{admin}@{installation.postgres}/postgres",
        "comptoir_rabbitmq_management_url": installation.management_url(ADMINISTRATOR),
        "comptoir_vhost": installation.vhost,
        **({"comptoir_storefronts": storefronts} if storefronts else {}),
        **{
            password_variable(user).lower(): installation.broker_password(user)
            for user in permissions(installation.storefronts)
        },
    }


def _fernet_key() -> str:
    return Fernet.generate_key().decode()
