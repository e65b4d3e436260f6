"""`python -m deploy.demo [--orders FILE.csv]`: the whole life of real orders on private servers, in about a
minute.

Exit status 0 only if every order ended where it must and the auditor found nothing.
"""

import argparse
import sys
from pathlib import Path

from deploy.demo.retail_rows import NotTheFormat
from deploy.demo.running import run
from deploy.demo.script import Script, write_script
from deploy.demo.showing import Show


def main() -> int:
    """The command line."""
    reader = argparse.ArgumentParser(prog="make demo", description="The whole life of real orders.")
    reader.add_argument(
        "--orders", type=Path, metavar="FILE.csv", help="orders in the format of Online Retail"
    )
    return run(script_of(reader), Show())


def script_of(reader: argparse.ArgumentParser) -> Script:
    """The script the command line asks for; ends the program with the reason when it can't be written."""
    given = reader.parse_args()
    try:
        return write_script(given.orders)
    except (NotTheFormat, OSError) as error:
        reader.error(f"{given.orders} can't be read as orders: {error}")


if __name__ == "__main__":
    sys.exit(main())
