"""Databases of a service as an earlier version left them, to be migrated."""

import asyncio
import importlib
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.databases import create_databases, drop_databases
from services.chassis.storage.migrating import migrate


def migrations_of(service: str) -> Path:
    """The folder of a service's own migrations."""
    [folder] = Path(str(importlib.import_module(f"services.{service}").__file__)).parent.glob("**/migrations")
    return folder


@asynccontextmanager
async def database_before(admin_url: str, service: str, version: str, apart: Path) -> AsyncIterator[str]:
    """Make a database with the migrations before a version; give its URL. `apart` is a folder for these."""
    mark = f"_{secrets.token_hex(4)}"
    url = (await create_databases(admin_url, mark))[service]
    for file in migrations_of(service).glob("*.sql"):
        if file.name < version:
            shutil.copy(file, apart)
    await asyncio.to_thread(migrate, url, apart)
    try:
        yield url
    finally:
        await drop_databases(admin_url, mark)
