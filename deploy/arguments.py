"""Paths, addresses and names given to the programs of deploy: an empty one is refused.

It is most often a variable of a script that is not set. As a path it would mean the current folder, as an address that
none was given.
"""

import argparse
from pathlib import Path


def named_path(given: str) -> Path:
    """Return a path as it was given. Raises ArgumentTypeError for an empty one."""
    if not given.strip():
        raise argparse.ArgumentTypeError("the path is empty; is a variable of the shell not set?")
    return Path(given)


def filled(given: str) -> str:
    """Return a text as it was given. Raises ArgumentTypeError for an empty one."""
    if not given.strip():
        raise argparse.ArgumentTypeError("the value is empty; is a variable of the shell not set?")
    return given
