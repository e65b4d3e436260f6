"""A whole Comptoir on one machine: four databases, a virtual host, a mail server, and as processes the four
services, the back office and the customers' page.

The demo, the journey tests, the fault tests and the bench all run this one system; they differ in what they
do to it. Everything listens on 127.0.0.1; every password and token is random (the broker users' are derived
from the administrator's, which is random) and lives as long as the system or its broker.
"""

import asyncio
import hmac
import json
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

from cryptography.fernet import Fernet

from contracts.catalogue import SERVICES, queues_of
from deploy.databases import create_databases, drop_databases
from deploy.local.parts import Postgres, RabbitMQ
from deploy.local.ports import free_ports
from deploy.local.spawning import Launcher
from deploy.local.supervisor import Program, Supervisor, inherited
from deploy.merchant_accounts import MerchantAccounts, paypal_slug
from deploy.topology import Management, apply
from services.chassis.http.tokens import authorization
from services.chassis.messaging.topology import Storefront, permissions

ROOT = Path(__file__).resolve().parents[2]
MAIL_SERVER = "mailserver"
BACKOFFICE = "backoffice"
CUSTOMER_PAGE = "page"
AUDITOR = "auditor"
PAGE_METRICS = "page-metrics"
MODULES = {BACKOFFICE: "services.orders.backoffice", CUSTOMER_PAGE: "services.notifier.page"}
"""Command of a program that is not a service."""
OWNER = {BACKOFFICE: "orders", CUSTOMER_PAGE: "notifier"}
"""Database and broker user of such a program."""
PROGRAMS = (*SERVICES, BACKOFFICE, CUSTOMER_PAGE)
INBOUND_DOMAIN = "reply.example.org"
"""Answers and reports go to addresses there; it is reserved (RFC 2606) and reaches nobody else."""


@dataclass(frozen=True)
class ShopSetup:
    """A shop of the system: its profile in the notifier, and the modules that sell for it."""

    profile: Mapping[str, Any]
    modules: Sequence[str]

    @property
    def shop(self) -> str:
        return str(self.profile["shop"])


@dataclass
class Secrets:
    """Secrets shared between the system's parts."""

    passwords: dict[str, str]
    internal_token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    api_tokens: dict[str, str] = field(default_factory=dict)
    secrets_key: str = field(default_factory=lambda: Fernet.generate_key().decode())


class System:
    """One running Comptoir. `async with System(…) as system:` starts it and leaves nothing behind.

    The auditor is started only where it is needed (`start_auditor`). `overrides` adds environment variables to single
    services, `mail_argv` replaces the demo's mail server, `launcher` the way programs are started.
    """

    def __init__(
        self,
        folder: Path,
        postgres: Postgres,
        rabbitmq: RabbitMQ,
        shops: Sequence[ShopSetup],
        *,
        overrides: Mapping[str, Mapping[str, str]] | None = None,
        mail_argv: Sequence[str | Path] | None = None,
        smtp_port: int | None = None,
        launcher: Launcher | None = None,
    ) -> None:
        self.folder = folder
        self.postgres = postgres
        self.rabbitmq = rabbitmq
        self.shops = shops
        self.supervisor = Supervisor(folder, launcher=launcher)
        self.name = secrets.token_hex(4)
        self.vhost = f"comptoir-{self.name}"
        self.storefronts = [Storefront(shop.shop, module) for shop in shops for module in shop.modules]
        self.secrets = Secrets(
            {user: broker_password(rabbitmq, user) for user in permissions(self.storefronts)}
        )
        self.secrets.api_tokens = {shop.shop: secrets.token_urlsafe(24) for shop in shops}
        *ports, spare, self.inbound_port, stripe, paypal, paypal_https = free_ports(len(PROGRAMS) + 7)
        self.accounts = MerchantAccounts(stripe, paypal, paypal_https, folder / "paypal")
        self.ports = dict(zip((*PROGRAMS, AUDITOR, PAGE_METRICS), ports, strict=True))
        self.smtp_port = smtp_port or spare
        self.mail_journal, self.mail_folder = folder / "mails.jsonl", folder / "mails"
        self.databases: dict[str, str] = {}
        self._overrides = overrides or {}
        self._mail_argv = mail_argv
        self._management: Management | None = None

    async def __aenter__(self) -> Self:
        await self.supervisor.__aenter__()
        try:
            await self.prepare()
            await self.start_mail_server()
            await self.start(*PROGRAMS)
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.supervisor.__aexit__(kind, error, trace)
        if self._management is not None:
            await asyncio.to_thread(self._management.send, "DELETE", f"vhosts/{self.vhost}")
        if self.databases:
            await drop_databases(self.postgres.admin_url, f"_{self.name}")

    async def prepare(self) -> None:
        """Create databases, run migrations and apply the topology."""
        self.databases = await create_databases(self.postgres.admin_url, f"_{self.name}")
        await asyncio.gather(
            asyncio.to_thread(self._apply_topology), *(self._run_once(name, "migrate") for name in SERVICES)
        )

    async def start_mail_server(self) -> None:
        """Start the mail server that keeps a journal."""
        argv = self._mail_argv or [
            *(sys.executable, "-m", "deploy.local.mailserver", "--port", str(self.smtp_port)),
            *("--journal", self.mail_journal, "--folder", self.mail_folder),
        ]
        await self.supervisor.start(Program(MAIL_SERVER, argv, cwd=ROOT))

    async def start_auditor(self, every_seconds: float, *options: str) -> None:
        """Start the continuous auditor, which serves its findings to the back office."""
        variables = {f"COMPTOIR_{name.upper()}_DATABASE_URL": url for name, url in self.databases.items()}
        watch = ("--watch", "--every", f"{every_seconds:g}", "--serve", f"127.0.0.1:{self.ports[AUDITOR]}")
        argv = [sys.executable, "-m", "deploy.auditor", *watch, *options]
        variables["COMPTOIR_INTERNAL_TOKEN"] = self.secrets.internal_token
        await self.supervisor.start(Program(AUDITOR, argv, variables, f"{self.url(AUDITOR)}/livez", ROOT))

    async def start(self, *services: str) -> None:
        """Start services and wait until they are ready."""
        await self.supervisor.start(*(self.program(service) for service in services))

    def program(self, service: str, name: str | None = None, **env: str) -> Program:
        """Return the program that runs a service; another `name` makes a replica, with ports of its own."""
        port = self.ports[service] if name is None else self.ports.setdefault(name, free_ports(1)[0])
        if name is not None and service == "notifier":
            env = {"COMPTOIR_INBOUND_PORT": "0", **env}
        return Program(
            name or service,
            [sys.executable, "-m", module_of(service)],
            {**self.environment(service), "COMPTOIR_HTTP_PORT": str(port), **env},
            f"http://127.0.0.1:{port}/readyz",
            ROOT,
        )

    def environment(self, service: str) -> dict[str, str]:
        """Return the settings of a service."""
        owner = OWNER.get(service, service)
        common = {
            "COMPTOIR_DATABASE_URL": self.databases[owner],
            "COMPTOIR_AMQP_URL": self.amqp_url(owner),
            "COMPTOIR_BROKER_MANAGEMENT_URL": self.rabbitmq.management_url,
            "COMPTOIR_INTERNAL_TOKEN": self.secrets.internal_token,
            "COMPTOIR_HTTP_PORT": str(self.ports[service]),
            "COMPTOIR_LOG_LEVEL": "WARNING",
        }
        return {**common, **self._own_settings(service), **self._overrides.get(service, {})}

    def amqp_url(self, user: str) -> str:
        """Return the broker's URL for a user of this system."""
        host = urlsplit(self.rabbitmq.amqp_url).netloc.rpartition("@")[2]
        return f"amqp://{quote(user)}:{quote(self.secrets.passwords[user])}@{host}/{self.vhost}"

    def url(self, service: str) -> str:
        """Return the HTTP address of a service."""
        return f"http://127.0.0.1:{self.ports[service]}"

    @property
    def operator(self) -> dict[str, str]:
        """Return the header that authenticates requests to operators' routes and metrics."""
        return authorization(self.secrets.internal_token)

    def webhook_url(self, shop: str) -> str:
        """Return the URL to which Stripe posts for a shop."""
        return f"{self.url('payments')}/webhooks/stripe/{shop}"

    def paypal_webhook_url(self, shop: str) -> str:
        """Return the URL to which PayPal posts for the shop that has the account."""
        return f"{self.url('payments')}/webhooks/paypal/{paypal_slug(shop)}"

    async def purge(self, service: str) -> None:
        """Empty a service's queues, whose messages were never meant for it."""
        assert self._management is not None
        for path in (f"queues/{self.vhost}/{queue}/contents" for queue in queues_of(service)):
            await asyncio.to_thread(self._management.send, "DELETE", path)

    def _own_settings(self, service: str) -> dict[str, str]:
        common = {"COMPTOIR_SHOPS": self._profiles(), "COMPTOIR_PAYMENTS_URL": self.url("payments")}
        if service == "orders":
            known = self.secrets.api_tokens.items()
            tokens = [{"name": "demo", "shop": shop, "token": token} for shop, token in known]
            urls = {f"COMPTOIR_{owner.upper()}_URL": self.url(owner) for owner in ("fulfillment", "notifier")}
            return {"COMPTOIR_API_TOKENS": json.dumps(tokens), **common, **urls}
        if service == "payments":
            accounts = self.accounts.settings([shop.shop for shop in self.shops])
            return {**accounts, "COMPTOIR_PAYMENTS_SECRETS_KEY": self.secrets.secrets_key}
        if service == "notifier":
            return {
                **common,
                "COMPTOIR_SHOPS": self._profiles(backoffice_url=self.url(BACKOFFICE)),
                "COMPTOIR_PAGE_URL": self.url(CUSTOMER_PAGE),
                "COMPTOIR_SMTP_HOST": "127.0.0.1",
                "COMPTOIR_SMTP_PORT": str(self.smtp_port),
                "COMPTOIR_INBOUND_DOMAIN": INBOUND_DOMAIN,
                "COMPTOIR_INBOUND_PORT": str(self.inbound_port),
            }
        if service == CUSTOMER_PAGE:
            return {
                **common,
                "COMPTOIR_PAGE_URL": self.url(CUSTOMER_PAGE),
                "COMPTOIR_METRICS_PORT": str(self.ports[PAGE_METRICS]),
                "COMPTOIR_ORDERS_URL": self.url("orders"),
            }
        if service == BACKOFFICE:
            return {
                "COMPTOIR_BACKOFFICE_ORIGIN": self.url(BACKOFFICE),
                **common,
                "COMPTOIR_RABBITMQ_MANAGEMENT_URL": self.management_url,
                "COMPTOIR_AUDITOR_URL": self.url(AUDITOR),
                **{f"COMPTOIR_{owner.upper()}_URL": self.url(owner) for owner in SERVICES},
            }
        return {}

    def _profiles(self, **more: str) -> str:
        return json.dumps([{**shop.profile, **more} for shop in self.shops])

    @property
    def management_url(self) -> str:
        """Return the management API's address with the administrator's credentials."""
        parts = urlsplit(self.rabbitmq.management_url)
        user, password = quote(self.rabbitmq.user), quote(self.rabbitmq.password)
        return parts._replace(netloc=f"{user}:{password}@{parts.netloc.rpartition('@')[2]}").geturl()

    async def add_staff(
        self, shop: str, login: str, password: str, role: str = "owner", name: str = ""
    ) -> None:
        """Add a person to the back office, as an operator would: from its command line."""
        more = ("--shop", shop, "--login", login, "--role", role, "--name", name)
        await self._run_once(BACKOFFICE, "add-staff", *more, stdin=f"{password}\n")

    async def open_modules(self, shop: str, modules: Sequence[str]) -> None:
        """Let more modules sell for a shop, as an operator would by giving them logins of their own."""
        self.storefronts += [Storefront(shop, module) for module in modules]
        users = permissions(self.storefronts)
        self.secrets.passwords |= {user: broker_password(self.rabbitmq, user) for user in users}
        await asyncio.to_thread(self._apply_topology)

    def _apply_topology(self) -> None:
        self._management = Management(self.management_url, self.vhost)
        apply(self._management, self.secrets.passwords, self.storefronts)

    async def _run_once(self, service: str, *arguments: str, stdin: str = "") -> None:
        """Run a program for one of its commands. Raises RuntimeError with its output when it fails."""
        status, output = await self.supervisor.launcher.run(
            [sys.executable, "-m", module_of(service), *arguments],
            env={**inherited(), **self.environment(service)},
            cwd=ROOT,
            stdin=stdin.encode(),
        )
        if status != 0:
            words = output.decode(errors="replace")[-3000:]
            raise RuntimeError(f"{service} could not {arguments[0]}:\n{words}")


def module_of(program: str) -> str:
    """Return the module that `python -m` runs for a program."""
    return MODULES.get(program, f"services.{program}")


def broker_password(rabbitmq: RabbitMQ, user: str) -> str:
    """Derive a user's password: a broker has one per user for all its virtual hosts, so systems that share a
    broker must agree on it.
    """
    return hmac.new(rabbitmq.password.encode(), user.encode(), "sha256").hexdigest()
