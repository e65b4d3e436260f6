"""`python -m deploy.seed N`: N made-up orders in the running system of `make up`, or in databases that are named.

The same N on the same day gives the same orders; a second run adds more.
"""

import argparse
import asyncio

from contracts.catalogue import SERVICES
from deploy.demo.addresses import FILE, running
from deploy.demo.sales.merchant import GARANCE
from deploy.seed.seeding import seed


def main() -> None:
    """The command line."""
    reader = argparse.ArgumentParser(prog="python -m deploy.seed", description=__doc__)
    reader.add_argument("count", type=int, help="how many orders")
    reader.add_argument("--shop", default=GARANCE.shop, help=f"default {GARANCE.shop}")
    for service in SERVICES:
        reader.add_argument(f"--{service}", metavar="URL", help=f"database of {service}")
    given = reader.parse_args()
    urls = {service: url for service in SERVICES if (url := getattr(given, service))} or running()
    if given.count < 1 or not urls:
        reader.error(f"give at least 1 order, and either run `make up` first ({FILE}) or name databases")
    asyncio.run(seed(urls, given.shop, given.count, lambda line: print(line, flush=True)))


if __name__ == "__main__":
    main()
