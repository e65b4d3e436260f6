"""`python -m deploy.auditor`: audit the four databases from outside; exit status 0 when there are no
violations.

COMPTOIR_ORDERS_DATABASE_URL=… COMPTOIR_PAYMENTS_DATABASE_URL=… (and so on)
python -m deploy.auditor [--mails JOURNAL] [--quiet-seconds 30]
python -m deploy.auditor --watch [--every 5] [--out FINDINGS.json] [--serve 127.0.0.1:9200]

With `--watch` it runs until it is stopped and reports persistent violations: to a file, or over HTTP as `GET
/findings` and `GET /metrics`, which require COMPTOIR_INTERNAL_TOKEN.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from contracts.catalogue import SERVICES
from deploy.auditor.auditing import QUIET_SECONDS, audit
from deploy.auditor.finding import CHECKS
from deploy.auditor.ground import Journals
from deploy.auditor.serving import serve
from deploy.auditor.watching import EVERY_SECONDS, run_until_cancelled
from deploy.local.mailserver import read_journal
from services.chassis.logs import configure_logs


def main() -> int:
    """Run the command line."""
    reader = argparse.ArgumentParser(
        prog="python -m deploy.auditor", description="Audit Comptoir from outside."
    )
    for service in SERVICES:
        variable = f"COMPTOIR_{service.upper()}_DATABASE_URL"
        reader.add_argument(
            f"--{service}",
            default=os.environ.get(variable),
            help=f"database URL (or {variable})",
            metavar="URL",
        )
    reader.add_argument("--mails", type=Path, help="journal of the demo's mail server")
    reader.add_argument(
        "--quiet-seconds", type=float, default=QUIET_SECONDS, help="how long to wait for rest"
    )
    reader.add_argument("--watch", action="store_true", help="go on and tell what stays wrong")
    reader.add_argument(
        "--every",
        type=float,
        default=EVERY_SECONDS,
        metavar="SECONDS",
        help="from one look to the next, at least",
    )
    reader.add_argument("--out", type=Path, metavar="FILE", help="where --watch writes its findings as JSON")
    reader.add_argument("--serve", metavar="HOST:PORT", help="where --watch answers GET /findings")
    given = reader.parse_args()
    urls = {service: getattr(given, service) for service in SERVICES}
    if missing := [service for service, url in urls.items() if not url]:
        reader.error(
            f"no database URL of {', '.join(missing)}; give --{missing[0]} or its variable, for all of them"
        )
    journals = partial(read_journals, given.mails)
    if given.watch:
        return _watch(reader, given, urls, journals)
    violations = asyncio.run(audit(urls, journals, quiet_seconds=given.quiet_seconds))
    for violation in violations:
        sys.stdout.write(f"{violation}\n")
    sys.stdout.write(f"{len(CHECKS)} checks, {len(violations)} violations\n")
    return 1 if violations else 0


def read_journals(mails: Path | None) -> Journals:
    """Read what the other sides have recorded so far. Called again for each look: a running system keeps
    writing.
    """
    return Journals(mails=[mail.message_id for mail in read_journal(mails)] if mails else None)


def _watch(
    reader: argparse.ArgumentParser,
    given: argparse.Namespace,
    urls: dict[str, str],
    journals: Callable[[], Journals],
) -> int:
    token = os.environ.get("COMPTOIR_INTERNAL_TOKEN", "")
    if given.out is None and given.serve is None:
        reader.error("--watch needs --out FILE or --serve HOST:PORT, to publish its findings")
    serving = None
    if given.serve is not None:
        host, _, port = given.serve.rpartition(":")
        if not host or not port.isdigit() or not token:
            reader.error("--serve needs HOST:PORT, and COMPTOIR_INTERNAL_TOKEN to know who may ask")
        serving = partial(serve, host=host, port=int(port), token=token)
    configure_logs("auditor", "INFO")
    with suppress(KeyboardInterrupt):
        asyncio.run(run_until_cancelled(urls, given.every, given.out, serving, journals))
    return 0


if __name__ == "__main__":
    sys.exit(main())
