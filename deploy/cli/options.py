"""Arguments and options that several commands share."""

import getpass
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from contracts.message import LONGEST_ACTOR
from deploy.arguments import number_of_seconds
from deploy.cli.failures import NotConfigured
from deploy.cli.services import Services
from services.chassis.texts import is_utf8, trimmed


class ServiceName(StrEnum):
    """A service of the catalogue."""

    ORDERS = "orders"
    PAYMENTS = "payments"
    FULFILLMENT = "fulfillment"
    NOTIFIER = "notifier"


NAMES = ", ".join(ServiceName)


def _actor(given: str) -> str:
    """Return the name given, else the login of the person at this machine; `operator` where the user has no name.
    Raises BadParameter for a name that is longer than is recorded."""
    if len(given) > LONGEST_ACTOR:
        raise typer.BadParameter(f"the name has {len(given):,} characters; give at most {LONGEST_ACTOR}")
    return given or _login()


def _login() -> str:
    try:
        login = getpass.getuser()
    except (KeyError, OSError):
        return "operator"
    return login if is_utf8(login) and len(login) <= LONGEST_ACTOR else "operator"


def shop_named(given: str | None) -> str | None:
    """Return a shop's name as it was given; None if it was not. Raises BadParameter for an empty one, such as an unset
    variable of a script: it must not read as all shops."""
    if given is not None and not trimmed(given):
        raise typer.BadParameter("the shop is empty; name a shop")
    return given


def time_with_offset(text: str) -> str:
    """Return an ISO 8601 time with an offset, as it was given. Raises BadParameter."""
    try:
        timestamp = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text} is not an ISO 8601 time; give one such as 2026-11-28T08:00+01:00"
        ) from None
    if timestamp.tzinfo is None:
        raise typer.BadParameter(f"{text} has no offset; give a time such as 2026-11-28T08:00+01:00")
    return text


def check_period(since: datetime, until: datetime) -> None:
    """Raise NotConfigured unless the period has a length: nothing would be found in it, which reads as an
    all-clear."""
    if since >= until:
        raise NotConfigured(
            f"the period is empty: its beginning {since.isoformat()} (--from) is not before its end "
            f"{until.isoformat()} (--to); correct one of them"
        )


def period(since: str, until: str) -> dict[str, str]:
    """Return a period as the services' routes read it. Raises NotConfigured for one without length."""
    check_period(datetime.fromisoformat(since), datetime.fromisoformat(until))
    return {"from": since, "to": until}


def whole_number(given: str | int) -> int:
    """Return a whole number from 1 on, typed or the option's default. Raises BadParameter."""
    text = str(given)
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:40]) < 2**63):
        raise typer.BadParameter(f"{text[:40]!r} is no whole number from 1 on; give one such as 7")
    return int(text)


def seconds(given: str | float) -> float:
    """Return a number of seconds from 0 on, typed or the option's default. Raises BadParameter."""
    try:
        return number_of_seconds(given)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def named_folder(given: str) -> Path:
    """Return the path of a folder. Raises BadParameter without a name, which would mean the current one."""
    if not given.strip():
        raise typer.BadParameter("no folder is named; is a variable of the shell not set?")
    return Path(given)


def named_file(given: Path | None) -> Path | None:
    """Return the path of a file, as a callback; None without one. Raises BadParameter for an empty one, which would be
    read as the current folder."""
    if given is not None and str(given).strip() in ("", "."):
        raise typer.BadParameter("no file is named; is a variable of the shell not set?")
    return given


def filled(given: str | None) -> str | None:
    """Return a filter as it was given, as a callback; None without one. Raises BadParameter for an empty one: it must
    not read as everything."""
    if given is not None and not trimmed(given):
        raise typer.BadParameter("it is empty; give a value, or leave the option out")
    return given


AsJson = Annotated[bool, typer.Option("--json", help="Write the result as one line of JSON.")]
Actor = Annotated[
    str,
    typer.Option(
        "--actor",
        metavar="NAME",
        envvar="COMPTOIR_ACTOR",
        callback=_actor,
        help="Name recorded with the action; your login unless given.",
        show_default=False,
        show_envvar=False,
    ),
]
From = Annotated[
    str,
    typer.Option(
        "--from", metavar="TIME", parser=time_with_offset, help="Since this time, such as 2026-11-28T08:00Z."
    ),
]
To = Annotated[
    str, typer.Option("--to", metavar="TIME", parser=time_with_offset, help="Until before this time.")
]
Sender = Annotated[
    ServiceName, typer.Argument(metavar="SENDER", help=f"Service that sent the messages: {NAMES}.")
]
Consumer = Annotated[
    ServiceName, typer.Argument(metavar="CONSUMER", help=f"Service that receives them: {NAMES}.")
]
NamedServices = Annotated[
    list[ServiceName] | None, typer.Argument(metavar="[SERVICE]...", help=f"{NAMES}; all unless named.")
]
Shop = Annotated[
    str | None, typer.Option("--shop", metavar="SHOP", callback=shop_named, help="Only of this shop.")
]
NoWait = Annotated[bool, typer.Option("--no-wait", help="End at once, not when all messages were sent.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only count.")]


def named(services: list[ServiceName] | None) -> list[str]:
    """Return the services named, or all of them."""
    return [service.value for service in services or ServiceName]


def environment_of(context: typer.Context) -> Mapping[str, str]:
    """Return the settings that the command line has read."""
    environment = context.obj
    if not isinstance(environment, dict):
        raise NotConfigured("the settings were not read")
    return environment


def services_of(context: typer.Context) -> Services:
    """Return the client of the services. Raises NotConfigured."""
    return Services(environment_of(context))
