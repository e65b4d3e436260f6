"""Users added from the command line, by anybody who can read the settings: the first owner, demo staff."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

import asyncpg

from services.chassis.settings import load_settings
from services.chassis.storage.database import Connection
from services.orders.backoffice.access import staff, store
from services.orders.backoffice.access.permissions import Role
from services.orders.backoffice.access.signing_in import normal
from services.orders.backoffice.web.settings import BackofficeSettings

COMMANDS = ("invite-owner", "add-staff")
BY = "command line"


def run(arguments: Sequence[str]) -> None:
    """Run one command; SystemExit carries the error message."""
    asked = _parser().parse_args(arguments)
    settings = load_settings(BackofficeSettings)
    try:
        asyncio.run(_carry_out(asked, settings))
    except (staff.LoginTaken, staff.NoMailAddress, staff.PasswordWeak) as refused:
        raise SystemExit(str(refused)) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services.orders.backoffice")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in COMMANDS:
        command = commands.add_parser(name)
        command.add_argument("--shop", type=_named, required=True)
        command.add_argument("--login", required=True, help="a mail address")
        command.add_argument("--name", default="")
        if name == "add-staff":
            command.add_argument("--role", type=Role, choices=list(Role), default=Role.OWNER)
    return parser


def _named(shop: str) -> str:
    if not shop.strip():
        raise argparse.ArgumentTypeError("the shop is empty; name a shop")
    return shop


async def _carry_out(asked: argparse.Namespace, settings: BackofficeSettings) -> None:
    connection = await asyncpg.connect(settings.database_url.get_secret_value(), timeout=10)
    try:
        async with connection.transaction():
            if asked.command == "add-staff":
                await _add(connection, asked, sys.stdin.readline().rstrip("\n"))
            else:
                await _invite_owner(connection, asked, settings.backoffice_origin[0])
    finally:
        await connection.close()


async def _add(connection: Connection, asked: argparse.Namespace, password: str) -> None:
    staff_id = await staff.add(connection, asked.shop, asked.login, asked.name, asked.role, BY)
    await staff.set_password(connection, staff_id, normal(asked.login), password)
    sys.stdout.write(f"{asked.login} may sign in as {asked.role} of {asked.shop}\n")


async def _invite_owner(connection: Connection, asked: argparse.Namespace, origin: str) -> None:
    """Invite an owner; an existing user is invited again only if they are an owner of this shop."""
    row = await store.read_login(connection, normal(asked.login))
    if row is None:
        staff_id = await staff.add(connection, asked.shop, asked.login, asked.name, Role.OWNER, BY)
    elif (row["shop"], row["role"]) == (asked.shop, Role.OWNER):
        staff_id = row["staff_id"]
    else:
        raise staff.LoginTaken(asked.login)
    token = await staff.invite(connection, staff_id, BY)
    sys.stdout.write(f"{origin}/invitation/{token}\n")
    sys.stderr.write(
        "The link works once and for three days; anybody who has it can choose the owner's password.\n"
    )
