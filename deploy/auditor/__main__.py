"""`python -m deploy.auditor`: audit four databases from outside; exit status 0 when nothing is wrong.

COMPTOIR_ORDERS_DATABASE_URL=… COMPTOIR_PAYMENTS_DATABASE_URL=… (and so on)
python -m deploy.auditor [--mails JOURNAL] [--quiet-seconds 30]
"""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from contracts.catalogue import SERVICES
from deploy.auditor.auditing import QUIET_SECONDS, audit
from deploy.auditor.finding import CHECKS
from deploy.auditor.ground import Journals
from deploy.demo.mailserver import read_journal


def main() -> int:
    """The command line."""
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
    given = reader.parse_args()
    urls = {service: getattr(given, service) for service in SERVICES}
    if missing := [service for service, url in urls.items() if not url]:
        reader.error(
            f"no database URL of {', '.join(missing)}; give --{missing[0]} or its variable, for all of them"
        )
    journals = Journals(
        mails=[mail.message_id for mail in read_journal(given.mails)] if given.mails else None
    )
    violations = asyncio.run(audit(urls, journals, quiet_seconds=given.quiet_seconds))
    for violation in violations:
        sys.stdout.write(f"{violation}\n")
    sys.stdout.write(f"{len(CHECKS)} checks, {len(violations)} violations\n")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
