"""`python -m deploy.auditor`: audit the four databases from outside; exit status 0 when there are no
violations.

COMPTOIR_ORDERS_DATABASE_URL=… COMPTOIR_PAYMENTS_DATABASE_URL=… (and so on, or …_FILE, or files in COMPTOIR_SECRETS_DIR)
python -m deploy.auditor [--mails JOURNAL] [--quiet-seconds 30]
python -m deploy.auditor --watch [--every 5] [--out FINDINGS.json] [--serve 127.0.0.1:9200] [--backups DIR]

With `--watch` it runs until it is stopped and reports persistent violations: to a file, or over HTTP as `GET
/findings` and `GET /metrics`, which require COMPTOIR_INTERNAL_TOKEN; COMPTOIR_METRICS_TOKEN opens the metrics only.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

import asyncpg

from contracts.catalogue import SERVICES
from deploy.arguments import database_url, filled, named_path, seconds
from deploy.auditor.auditing import QUIET_SECONDS, ConnectionLost, audit
from deploy.auditor.finding import CHECKS
from deploy.auditor.inputs import Journals
from deploy.auditor.serving import serve
from deploy.auditor.watching import EVERY_SECONDS, run_until_cancelled
from deploy.cli.environment import read_environment, verified
from deploy.cli.failures import NotConfigured, Status, no_database
from deploy.cli.output import counted
from deploy.local.mailserver import read_journal
from services.chassis.logs import configure_logs
from services.chassis.texts import is_port
from services.chassis.unknown_settings import log_unknown_settings


def main() -> int:
    """Run the command line."""
    reader = argparse.ArgumentParser(
        prog="python -m deploy.auditor", description="Audit Comptoir from outside."
    )
    try:
        environment = read_environment(os.environ)
    except NotConfigured as error:
        reader.error(str(error))
    for service in SERVICES:
        variable = f"COMPTOIR_{service.upper()}_DATABASE_URL"
        reader.add_argument(
            f"--{service}",
            type=database_url,
            default=environment.get(variable),
            help=f"database URL (or {variable})",
            metavar="URL",
        )
    reader.add_argument("--mails", type=named_path, help="journal of the demo's mail server")
    reader.add_argument(
        "--quiet-seconds", type=seconds, default=QUIET_SECONDS, help="how long to wait for rest"
    )
    reader.add_argument("--watch", action="store_true", help="go on and report what stays wrong")
    reader.add_argument(
        "--every",
        type=seconds,
        default=EVERY_SECONDS,
        metavar="SECONDS",
        help="from one scan to the next, at least",
    )
    reader.add_argument(
        "--out", type=named_path, metavar="FILE", help="where --watch writes its findings as JSON"
    )
    reader.add_argument(
        "--serve", type=filled, metavar="HOST:PORT", help="where --watch serves GET /findings"
    )
    reader.add_argument(
        "--backups",
        type=named_path,
        metavar="DIR",
        help="folder of comptoir backup --keep, whose newest is a metric",
    )
    given = reader.parse_args()
    urls = {service: getattr(given, service) for service in SERVICES}
    if missing := [service for service, url in urls.items() if not url]:
        reader.error(
            f"no database URL of {', '.join(missing)}; give --{missing[0]} or its variable, for all of them"
        )
    try:
        urls = {service: verified(f"--{service}", url, environment) for service, url in urls.items()}
    except NotConfigured as error:
        reader.error(str(error))
    journals = partial(read_journals, given.mails)
    if given.watch:
        return _watch(reader, given, urls, journals, environment)
    try:
        violations = asyncio.run(audit(urls, journals, quiet_seconds=given.quiet_seconds))
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, ConnectionLost) as error:
        if isinstance(error, OSError) and error.filename:
            reader.error(f"can't read {error.filename}: {error.strerror}")
        sys.stderr.write(f"{no_database('the databases', 'each URL', error)}\n")
        return Status.UNREACHABLE
    for violation in violations:
        sys.stdout.write(f"{violation}\n")
    sys.stdout.write(f"{len(CHECKS)} checks, {counted(len(violations), 'violation')}\n")
    return 1 if violations else 0


def read_journals(mails: Path | None) -> Journals:
    """Read what the other sides have recorded so far. Called again for each scan: a running system keeps
    writing.
    """
    return Journals(mails=[mail.message_id for mail in read_journal(mails)] if mails else None)


def _watch(
    reader: argparse.ArgumentParser,
    given: argparse.Namespace,
    urls: dict[str, str],
    journals: Callable[[], Journals],
    environment: Mapping[str, str],
) -> int:
    token = environment.get("COMPTOIR_INTERNAL_TOKEN", "")
    if given.out is None and given.serve is None:
        reader.error("--watch needs --out FILE or --serve HOST:PORT, to publish its findings")
    serving = None
    if given.serve is not None:
        host, _, port = given.serve.rpartition(":")
        if not host or not port or not is_port(port) or not token:
            reader.error("--serve needs HOST:PORT, and COMPTOIR_INTERNAL_TOKEN as the token of its readers")
        metrics_token = environment.get("COMPTOIR_METRICS_TOKEN", "")
        serving = partial(serve, host=host, port=int(port), token=token, metrics_token=metrics_token)
    configure_logs("auditor", "INFO")
    log_unknown_settings()
    with suppress(KeyboardInterrupt):
        asyncio.run(run_until_cancelled(urls, given.every, given.out, serving, journals, given.backups))
    return 0


if __name__ == "__main__":
    sys.exit(main())
