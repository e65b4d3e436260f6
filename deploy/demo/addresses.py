"""Where the databases of the system of `make up` are, for whoever wants to fill them: a file only its owner reads."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.local.system import ROOT

FILE = ROOT / "var" / "up" / "databases.json"


@contextmanager
def noted(databases: Mapping[str, str], file: Path = FILE) -> Iterator[None]:
    """Note the databases as long as the body runs."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps(dict(databases)), encoding="utf-8")
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def running(file: Path = FILE) -> dict[str, str]:
    """The databases of the system that is up; none when none is."""
    try:
        found: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found
