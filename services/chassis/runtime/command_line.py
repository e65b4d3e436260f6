"""A service's command line: `python -m services.<name>` runs its application, `… migrate` migrates its database."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog
import uvloop
from faststream import FastStream

from services.chassis.logs import configure_logs
from services.chassis.runtime.application import application
from services.chassis.runtime.service import Service
from services.chassis.settings import ServiceSettings, load_settings
from services.chassis.storage.migrating import MigrationFailed, migrate, migrate_after
from services.chassis.storage.schema_check import Schema
from services.chassis.texts import is_utf8
from services.chassis.unknown_settings import log_unknown_settings

log = structlog.get_logger()


def main(service: Service, arguments: Sequence[str] | None = None) -> None:
    """Run the command given on the command line: none, `migrate`, or one of the service's own."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments:
        _run(application(service))
        return
    if not all(map(is_utf8, arguments)):
        raise SystemExit(
            "an argument is not UTF-8: check the encoding of the terminal or script that it comes from"
        )
    settings = load_settings(service.settings)
    configure_logs(service.name, settings.log_level)
    log_unknown_settings()
    if list(arguments) in (["migrate"], ["migrate", "--before"]):
        _migrate(service, settings, migrate)
    elif list(arguments) == ["migrate", "--after"]:
        _migrate(service, settings, migrate_after)
    elif arguments[0] in service.commands:
        raise SystemExit(service.commands[arguments[0]](settings, arguments[1:]))
    else:
        known = " | ".join(["migrate [--before | --after]", *service.commands])
        raise SystemExit(f"usage: python -m {service.program} [{known}]")


def _migrate(service: Service, settings: ServiceSettings, steps: Callable[[str, Path], Schema]) -> None:
    try:
        schema = steps(settings.database_url.get_secret_value(), service.migrations)
    except MigrationFailed as failure:
        raise SystemExit(str(failure)) from None
    for warning in schema.warnings:
        log.info(warning)


def _run(app: FastStream) -> None:
    """Run the application as `faststream run` does, on the same event loop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(app.run())
