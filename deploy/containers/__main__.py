"""Build the image without Docker and without a registry of images: `python -m deploy.containers --output FILE.tar`.

The file is for `docker load` or `podman load`. It needs root, and Linux on x86-64.
"""

import argparse
import sys
from collections.abc import Sequence

from deploy.arguments import filled, named_path
from deploy.containers.building import Builder, BuildFailed
from deploy.containers.fetching import ROOT, NotFetched

STORE = ROOT / "var" / "containers"


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    reader = argparse.ArgumentParser(prog="python -m deploy.containers", description="Build the image.")
    reader.add_argument(
        "--output", type=named_path, required=True, metavar="FILE", help="the archive to write"
    )
    reader.add_argument("--tag", type=filled, default="comptoir:local", help="default comptoir:local")
    reader.add_argument("--base", type=filled, metavar="IMAGE", help="default: made of Debian's packages")
    reader.add_argument("--program", default="", metavar="MODULE", help="the program that the image runs")
    reader.add_argument("--operator", action="store_true", help="with PostgreSQL's client, for backups")
    given = reader.parse_args(arguments)
    try:
        builder = Builder(STORE)
        target = "operator" if given.operator else None
        builder.build(given.tag, base=given.base, target=target, PROGRAM=given.program)
        builder.save(given.tag, given.output)
    except (NotFetched, BuildFailed) as error:
        raise SystemExit(str(error)) from None
    sys.stdout.write(f"{given.tag} written to {given.output}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
