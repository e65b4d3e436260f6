"""`python -m deploy.demo [--orders FILE.csv]`: the whole life of real orders on private servers, in about a
minute.

Exit status 0 only if every order ended where it must and the auditor found nothing.
"""

import argparse
import sys
from pathlib import Path

from deploy.demo.retail_rows import NotTheFormat
from deploy.demo.running import RUNS, run
from deploy.demo.script import Script, write_script
from deploy.demo.showing import Show


def main() -> int:
    """The command line."""
    script, runs = read_command_line("make demo", "The whole life of real orders.")
    return run(script, Show(), runs)


def read_command_line(name: str, description: str) -> tuple[Script, Path]:
    """What to play, and below which folder; ends the program with the reason when it can't be played."""
    reader = argparse.ArgumentParser(prog=name, description=description)
    reader.add_argument(
        "--orders", type=Path, metavar="FILE.csv", help="orders in the format of Online Retail"
    )
    reader.add_argument(
        "--folder", type=Path, metavar="FOLDER", default=RUNS, help="where runs and report.json go (var/demo)"
    )
    given = reader.parse_args()
    try:
        return write_script(given.orders), given.folder
    except (NotTheFormat, OSError) as error:
        reader.error(f"{given.orders} can't be read as orders: {error}")


if __name__ == "__main__":
    sys.exit(main())
