"""`python -m deploy.demo [--orders FILE.csv]`: the whole life of real orders on private servers, in about a
minute.

Exit status 0 only if every order ended where it must and the auditor found nothing.
"""

import argparse
import sys

from deploy.arguments import named_path
from deploy.demo.running import RUNS, run
from deploy.demo.sales.retail_rows import NotTheFormat
from deploy.demo.script import Script, write_script
from deploy.demo.showing import Show


def main() -> int:
    """The command line."""
    reader = command_line("make demo", "The whole life of real orders.")
    given = reader.parse_args()
    return run(script_of(reader, given), Show(), given.folder)


def command_line(name: str, description: str) -> argparse.ArgumentParser:
    """What every program that plays a script asks for: `orders` and `folder`."""
    reader = argparse.ArgumentParser(prog=name, description=description)
    reader.add_argument(
        "--orders", type=named_path, metavar="FILE.csv", help="orders in the format of Online Retail"
    )
    reader.add_argument(
        "--folder",
        type=named_path,
        metavar="FOLDER",
        default=RUNS,
        help="where runs and report.json go (var/demo)",
    )
    return reader


def script_of(reader: argparse.ArgumentParser, given: argparse.Namespace) -> Script:
    """What to play; ends the program with the reason when it can't be played."""
    try:
        return write_script(given.orders)
    except (NotTheFormat, OSError) as error:
        reader.error(f"{given.orders} can't be read as orders: {error}")


if __name__ == "__main__":
    sys.exit(main())
