"""Addresses of the system of `make up`, for programs beside it: files that only their owner reads, while it runs.

`databases.json` is for scripts that fill the databases, `comptoir.env` holds the settings of the command line.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from contracts.catalogue import SERVICES
from deploy.cli.environment import database_variable
from deploy.local.system import BACKOFFICE, ROOT, System
from deploy.topology import MANAGEMENT_URL

FILE = ROOT / "var" / "up" / "databases.json"
ENV_FILE = ROOT / "var" / "up" / "comptoir.env"


@contextmanager
def noted(databases: Mapping[str, str], file: Path = FILE) -> Iterator[None]:
    """Note the databases as long as the body runs."""
    with _private(file, json.dumps(dict(databases))):
        yield


@contextmanager
def settings_noted(settings: Mapping[str, str], file: Path = ENV_FILE) -> Iterator[None]:
    """Note the settings of the command line as long as the body runs."""
    lines = (f"{name}='{value}'\n" for name, value in settings.items())
    with _private(file, "".join(lines)):
        yield


@contextmanager
def _private(file: Path, text: str) -> Iterator[None]:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")
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


def operator_settings(system: System) -> dict[str, str]:
    """The settings with which the command line operates a system."""
    return {
        "COMPTOIR_INTERNAL_TOKEN": system.secrets.internal_token,
        **{f"COMPTOIR_{service.upper()}_URL": system.url(service) for service in SERVICES},
        **{database_variable(service): url for service, url in system.databases.items()},
        MANAGEMENT_URL: system.environment(BACKOFFICE)[MANAGEMENT_URL],
        "COMPTOIR_VHOST": system.vhost,
        "COMPTOIR_STOREFRONTS": " ".join(f"{one.shop}.{one.module}" for one in system.storefronts),
    }
