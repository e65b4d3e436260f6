"""Commands that check data and change nothing: `comptoir audit` and `comptoir verify books`."""

import asyncio
from dataclasses import asdict
from typing import Annotated

import asyncpg
import typer

from deploy.auditor.auditing import QUIET_SECONDS, ConnectionLost
from deploy.auditor.auditing import audit as run_audit
from deploy.auditor.finding import CHECKS
from deploy.cli.environment import database_urls
from deploy.cli.failures import Refused, Status, Unreachable
from deploy.cli.options import AsJson, Shop, environment_of, seconds
from deploy.cli.output import counted, emit, progress
from services.payments.closings.verifying import Broken, ShopUnknown, verify_ledger

DATABASE_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
verify = typer.Typer(help="Verify records that prove themselves.", no_args_is_help=True)


def audit(
    context: typer.Context,
    quiet_seconds: Annotated[
        float,
        typer.Option(
            "--quiet-seconds",
            parser=seconds,
            metavar="SECONDS",
            help="Longest wait until the system is at rest.",
        ),
    ] = QUIET_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Check the invariants across the four databases.

    It changes nothing and may run beside the services. Status 1 if any invariant is violated.
    """
    urls = database_urls(environment_of(context))
    with progress("waiting until the system is at rest", len(CHECKS) + 1, as_json) as bar:
        try:
            found = asyncio.run(run_audit(urls, quiet_seconds=quiet_seconds, on_check=bar.step))
        except (*DATABASE_ERRORS, ConnectionLost) as error:
            raise _unreachable("audit", error) from None
    emit(
        {"checks": len(CHECKS), "violations": [asdict(one) for one in found]},
        as_json,
        lambda console: console.print(
            "\n".join([*map(str, found), f"{len(CHECKS)} checks, {counted(len(found), 'violation')}"])
        ),
    )
    if found:
        raise typer.Exit(Status.FOUND)


@verify.command("books")
def books(context: typer.Context, shop: Shop = None, as_json: AsJson = False) -> None:
    """Verify the ledger entries and the closings.

    Each entry is compared with its chain, each closing with its entries. Status 1 names the first broken row.
    """
    urls = database_urls(environment_of(context), ["payments"])
    broken, verified = None, None
    try:
        with progress("verifying the books", None, as_json):
            verified = asyncio.run(verify_ledger(urls["payments"], shop))
    except Broken as found:
        broken = str(found)
    except ShopUnknown as unknown:
        raise Refused(str(unknown)) from None
    except DATABASE_ERRORS as error:
        raise _unreachable("verify", error) from None
    text = (
        f"BROKEN: {broken}"
        if verified is None
        else "whole: {entries:,} entries of {accounts:,} accounts, {closings:,} closings"
    )
    counted = asdict(verified) if verified is not None else {}
    emit(
        {"whole": broken is None, "broken": broken, **counted},
        as_json,
        lambda console: console.print(text if broken else text.format(**counted)),
    )
    if broken is not None:
        raise typer.Exit(Status.FOUND)


def _unreachable(verb: str, error: Exception) -> Unreachable:
    """Return the failure for a database's error. The driver's messages contain no password."""
    return Unreachable(
        f"could not {verb}: {type(error).__name__}: {error}; check the database URLs, that PostgreSQL is running, and "
        "that the databases are up to date (comptoir migrate)"
    )
