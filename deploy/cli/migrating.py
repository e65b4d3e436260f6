"""`comptoir migrate`: bring the databases up to date, each with the migrations of its own service."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.console import Console

from deploy.cli.environment import database_urls, database_variable
from deploy.cli.failures import NotConfigured, Refused, Unreachable
from deploy.cli.options import AsJson, NamedServices, environment_of, named
from deploy.cli.output import emit, progress
from services.chassis.runtime.service import Service
from services.chassis.storage.migrating import MigrationFailed, migrate_after
from services.chassis.storage.migrating import migrate as migrate_before
from services.chassis.storage.schema_check import Schema

Before = Annotated[
    bool, typer.Option("--before", help="Those that only add, while the old version runs; so it is without.")
]
After = Annotated[
    bool,
    typer.Option("--after", help="Those that may end what the old version needs, once none of it runs."),
]


def migrate(
    context: typer.Context,
    services: NamedServices = None,
    before: Before = False,
    after: After = False,
    as_json: AsJson = False,
) -> None:
    """Apply the pending migrations to the databases.

    Before an upgrade those that only add, so that processes of the old version may run meanwhile; a new database gets
    all of them. After it, with --after, the rest; this is refused while an older process is connected.
    """
    if before and after:
        raise NotConfigured("give --before or --after, not both: between them the processes are upgraded")
    wanted = named(services)
    urls = database_urls(environment_of(context), wanted)
    pending: dict[str, list[str]] = {}
    with progress("migrating", len(wanted), as_json) as bar:
        for service in wanted:
            bar.show(title=f"migrating {service}")
            pending[service] = migrate_database(
                service, urls[service], migrate_after if after else migrate_before
            ).pending_after
            bar.step()
    emit({"migrated": wanted, "pending_after": pending}, as_json, lambda console: _show(console, pending))


def _show(console: Console, pending: dict[str, list[str]]) -> None:
    console.print(f"up to date: {', '.join(pending)}")
    for service, steps in pending.items():
        if steps:
            console.print(
                f"left for the end of the upgrade of {service}: {', '.join(steps)}; run `comptoir migrate --after` "
                "once no process of the old version runs"
            )


def migrate_database(service: str, url: str, steps: Callable[[str, Path], Schema] = migrate_before) -> Schema:
    """Apply a service's pending migrations to its database; return what is pending then. Raises Refused,
    Unreachable."""
    try:
        return steps(url, migrations_of(service))
    except MigrationFailed as failure:
        why = f"{service}: {_without_password(str(failure), url)}"
        if not any(words in why for words in ("connect", "authentication", "no such host")):
            raise Refused(why) from None
        raise Unreachable(f"{why}; is PostgreSQL running, is {database_variable(service)} right?") from None


def _without_password(text: str, url: str) -> str:
    password = urlsplit(url).password
    return text.replace(password, "***") if password else text


def migrations_of(service: str) -> Path:
    """Return the folder of a service's own migrations. Only the program of this service is loaded."""
    declared: Service = import_module(f"services.{service}.app").SERVICE
    return declared.migrations
