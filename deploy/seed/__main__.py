"""`python -m deploy.seed N`: N made-up orders in the running system of `make up`, or in databases that are named, by
arguments or with `--configured` by the settings COMPTOIR_<SERVICE>_DATABASE_URL.

The same N on the same day gives the same orders; a second run adds more.
"""

import argparse
import asyncio
import os
import sys

import asyncpg

from contracts.catalogue import SERVICES
from deploy.arguments import database_url, filled
from deploy.cli.environment import database_urls, read_environment
from deploy.cli.failures import Failure, Status, no_database
from deploy.demo.addresses import FILE, running
from deploy.samples.merchants import GARANCE
from deploy.seed.seeding import seed


def main() -> None:
    """Run the command line."""
    reader = argparse.ArgumentParser(prog="python -m deploy.seed", description=__doc__)
    reader.add_argument("count", type=int, help="how many orders")
    reader.add_argument("--shop", type=filled, default=GARANCE.shop, help=f"default {GARANCE.shop}")
    for service in SERVICES:
        reader.add_argument(f"--{service}", type=database_url, metavar="URL", help=f"database of {service}")
    reader.add_argument(
        "--configured", action="store_true", help="databases of the settings COMPTOIR_<SERVICE>_DATABASE_URL"
    )
    given = reader.parse_args()
    try:
        configured = database_urls(read_environment(os.environ)) if given.configured else {}
    except Failure as failure:
        reader.error(str(failure))
    urls = (
        {service: url for service in SERVICES if (url := getattr(given, service))} or configured or running()
    )
    if given.count < 1 or not urls:
        reader.error(f"give at least 1 order, and either run `make up` first ({FILE}) or name databases")
    try:
        asyncio.run(seed(urls, given.shop, given.count, lambda line: print(line, flush=True)))
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        sys.stderr.write(f"{no_database('the databases', 'each URL', error)}\n")
        sys.exit(Status.UNREACHABLE)


if __name__ == "__main__":
    main()
