"""Users added from the command line, by anybody who can read the settings: the first owner, demo staff."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

import asyncpg

from services.chassis.errors import describe
from services.chassis.settings import load_settings
from services.chassis.storage.database import Connection
from services.chassis.texts import is_utf8
from services.orders.backoffice.access import staff, store
from services.orders.backoffice.access.permissions import Role
from services.orders.backoffice.access.signing_in import normal
from services.orders.backoffice.web.settings import BackofficeSettings

COMMANDS = ("invite-owner", "add-staff")
BY = "command line"


def run(arguments: Sequence[str]) -> None:
    """Run one command; SystemExit carries the error message."""
    options = _parser().parse_args(arguments)
    settings = load_settings(BackofficeSettings)
    try:
        asyncio.run(_carry_out(options, settings))
    except (staff.LoginTaken, staff.NoMailAddress, staff.PasswordWeak) as refused:
        raise SystemExit(str(refused)) from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise SystemExit(
            f"the database can't be used ({describe(error)}): is PostgreSQL running, is COMPTOIR_DATABASE_URL right, "
            "are its migrations applied?"
        ) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services.orders.backoffice")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in COMMANDS:
        command = commands.add_parser(name)
        command.add_argument("--shop", type=_named, required=True)
        command.add_argument("--login", type=_text, required=True, help="a mail address")
        command.add_argument("--name", type=_text, default="")
        if name == "add-staff":
            command.add_argument("--role", type=Role, choices=list(Role), default=Role.OWNER)
    return parser


def _named(shop: str) -> str:
    if not shop.strip():
        raise argparse.ArgumentTypeError("the shop is empty; name a shop")
    return _text(shop)


def _text(given: str) -> str:
    if not is_utf8(given):
        raise argparse.ArgumentTypeError("it is not UTF-8: check the encoding of the terminal")
    return given


async def _carry_out(options: argparse.Namespace, settings: BackofficeSettings) -> None:
    connection = await asyncpg.connect(settings.database_url.get_secret_value(), timeout=10)
    try:
        async with connection.transaction():
            if options.command == "add-staff":
                await _add(connection, options, _password())
            else:
                await _invite_owner(connection, options, settings.backoffice_origin[0])
    finally:
        await connection.close()


def _password() -> str:
    try:
        return _text(sys.stdin.readline().rstrip("\n"))
    except (UnicodeDecodeError, argparse.ArgumentTypeError):
        raise staff.PasswordWeak("the password is not UTF-8: check the encoding of the terminal") from None


async def _add(connection: Connection, options: argparse.Namespace, password: str) -> None:
    staff_id = await staff.add(connection, options.shop, options.login, options.name, options.role, BY)
    await staff.set_password(connection, staff_id, normal(options.login), password)
    sys.stdout.write(f"{options.login} may sign in as {options.role} of {options.shop}\n")


async def _invite_owner(connection: Connection, options: argparse.Namespace, origin: str) -> None:
    """Invite an owner; an existing user is invited again only if they are an owner of this shop."""
    row = await store.read_login(connection, normal(options.login))
    if row is None:
        staff_id = await staff.add(connection, options.shop, options.login, options.name, Role.OWNER, BY)
    elif (row["shop"], row["role"]) == (options.shop, Role.OWNER):
        staff_id = row["staff_id"]
    else:
        raise staff.LoginTaken(options.login)
    token = await staff.invite(connection, staff_id, BY)
    sys.stdout.write(f"{origin}/invitation/{token}\n")
    sys.stderr.write(
        "The link works once and for three days; anybody who has it can choose the owner's password.\n"
    )
