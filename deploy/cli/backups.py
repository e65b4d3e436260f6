"""`comptoir backup` and `comptoir restore`: the four databases as one."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import typer
from rich.console import Console

from contracts.catalogue import SERVICES
from deploy.auditor.auditing import ConnectionLost
from deploy.auditor.auditing import audit as run_audit
from deploy.auditor.finding import CHECKS
from deploy.backup import dumping, filling, keeping, manifest, rejoining, series
from deploy.backup.manifest import Manifest
from deploy.backup.restore_state import Step, only_restore, refuse_others, refuse_running
from deploy.cli.environment import database_urls
from deploy.cli.failures import Status, Unreachable
from deploy.cli.options import Actor, AsJson, environment_of, named_folder, seconds, whole_number
from deploy.cli.output import counted, emit, progress, table
from deploy.cli.recovery import await_resync
from deploy.cli.services import Services
from deploy.cli.work import await_rest

MEGABYTE = 1_000_000
QUIET_SECONDS = 60.0


class Restore(NamedTuple):
    """One run of a restore."""

    environment: Mapping[str, str]
    urls: dict[str, str]
    folder: Path
    backup: Manifest
    actor: str
    as_json: bool

    @property
    def backup_id(self) -> UUID:
        return self.backup.backup_id


def backup(
    context: typer.Context,
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            parser=named_folder,
            help="New folder for the backup; with --keep, the folder of all backups.",
        ),
    ],
    kept: Annotated[
        int | None,
        typer.Option(
            "--keep",
            metavar="N",
            parser=whole_number,
            help="Make the backup in a folder of DIR named by its time, then remove all but the newest N.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Back up the four databases into a new folder.

    The services go on working. Secrets (passwords, keys, tokens) are not in it.
    """
    urls = database_urls(environment_of(context))
    if kept is None:
        made, cleaned = _back_up(urls, folder, as_json), keeping.Cleaned([], [])
    else:
        with keeping.only_one(folder):
            folder = keeping.folder_at(folder, datetime.now(UTC))
            made = _back_up(urls, folder, as_json)
            cleaned = keeping.remove_old(folder, kept)
    rows = [(name, dump.bytes, dump.sha256[:16], _last(dump)) for name, dump in made.databases.items()]
    emit(
        {
            "folder": str(folder),
            **{name: [str(one) for one in paths] for name, paths in cleaned._asdict().items()},
            **made.model_dump(mode="json"),
        },
        as_json,
        lambda console: _show_backup(console, folder, rows, cleaned),
    )


def _back_up(urls: Mapping[str, str], folder: Path, as_json: bool) -> Manifest:
    with progress("backing up", None, as_json) as bar:

        def show(service: str, done: int, of: int) -> None:
            bar.show(title=f"{service}: {done / MEGABYTE:.1f} MB of a database of {of / MEGABYTE:.1f} MB")

        return asyncio.run(dumping.back_up(urls, folder, show))


def _last(dump: manifest.Dump) -> str | None:
    return dump.last_event.time.isoformat() if dump.last_event else None


def _show_backup(
    console: Console, folder: Path, rows: Sequence[tuple[object, ...]], cleaned: keeping.Cleaned
) -> None:
    console.print(table(("database", "bytes", "sha256", "last event"), rows))
    for one in cleaned.removed:
        console.print(f"removed {one}")
    if cleaned.ignored:
        names = ", ".join(one.name for one in cleaned.ignored)
        console.print(
            f"neither counted nor removed, since they are no complete backups before this one: {names}"
        )
    console.print(f"backed up to {folder}; keep it where only operators can read it: it holds personal data")


def restore(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", parser=named_folder, help="Folder of a backup.")],
    last_numbers: Annotated[
        list[str] | None,
        typer.Option(
            "--last-number",
            metavar="SHOP/KIND/YEAR=N",
            help="Last number given out in a series of invoices, such as maison/invoice/2026=117.",
        ),
    ] = None,
    is_none_since: Annotated[
        bool,
        typer.Option("--no-documents-since", help="No invoice or credit note was issued after the backup."),
    ] = False,
    wait: Annotated[
        float,
        typer.Option(
            "--wait", parser=seconds, metavar="SECONDS", help="Longest wait for the services to start."
        ),
    ] = 600.0,
    is_last: Annotated[
        bool, typer.Option("--finish", help="End the restore: effects are executed again from then on.")
    ] = False,
    despite: Annotated[
        bool, typer.Option("--despite-findings", help="End it although the auditor has findings.")
    ] = False,
    actor: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Restore the four databases from a backup into empty ones.

    Run it again after any failure: it goes on where it was. No mail is sent and no provider called until --finish.
    Status 1 if the auditor has findings.
    """
    environment = environment_of(context)
    urls, services = database_urls(environment), Services(environment)
    backed_up = _checked(folder, as_json)
    context.with_resource(only_restore("orders", urls["orders"]))
    run = Restore(environment, urls, folder, backed_up, actor, as_json)
    steps = asyncio.run(_steps(run))
    if set(steps.values()) == {Step.FINISHED}:
        _report(run, {"finished": True, "violations": []})
        return
    if set(steps.values()) - {Step.OPEN, Step.FINISHED}:
        given = series.stated(last_numbers or ())
        asyncio.run(_fill(run, steps))
        if steps["payments"] is not Step.OPEN:  # an open one may have issued documents since
            settled = series.settle(urls["payments"], backed_up.taken_at, given, actor, is_none=is_none_since)
            asyncio.run(settled)
        removed = _open(run)
    else:
        removed = None
    _rejoin(run, services, wait)
    found = _audit(run)
    ends = is_last and (not found or despite)
    if ends:
        for service in SERVICES:
            asyncio.run(filling.finish(service, urls[service]))
        rejoining.wait_until_finished(services)
    _report(run, {"finished": ends, "violations": found, "removed_messages": removed})
    if found and not ends:
        raise typer.Exit(Status.FOUND)


def _checked(folder: Path, as_json: bool) -> Manifest:
    backed_up = manifest.read(folder)
    with progress("checking the files", len(SERVICES), as_json) as bar:
        manifest.check_files(folder, backed_up.databases, lambda service: bar.step(f"checked {service}"))
    return backed_up


async def _steps(run: Restore) -> dict[str, Step]:
    """Return how far each database is. Raises Refused if one holds something else, or a process works on it; nothing
    was changed then."""
    found = {one: await filling.database_state(one, url, run.backup_id) for one, url in run.urls.items()}
    refuse_others(run.urls, found)
    steps = {
        service: database_state.step
        for service, database_state in found.items()
        if database_state.step is not None
    }
    await refuse_running(run.urls, steps)
    return steps


async def _fill(run: Restore, steps: Mapping[str, Step]) -> None:
    with progress("restoring", len(SERVICES), run.as_json) as bar:
        for service, dump in run.backup.databases.items():
            bar.show(title=f"restoring {service}: {dump.bytes / MEGABYTE:.1f} MB")
            await filling.fill(service, run.urls[service], dump, run.folder, run.backup_id, steps[service])
            bar.step()


def _open(run: Restore) -> int:
    """Empty the queues, then let processes work on the databases; return how many messages were removed."""
    with progress("emptying the queues", None, run.as_json):
        removed = rejoining.reset_broker(run.environment)
    for service in SERVICES:
        asyncio.run(filling.open_up(service, run.urls[service]))
    return removed


def _rejoin(run: Restore, services: Services, wait: float) -> None:
    if rejoining.missing_services(services) and not run.as_json:
        sys.stderr.write("The databases are restored: start all processes now.\n")
    with progress("waiting for the services", len(SERVICES), run.as_json) as bar:
        rejoining.wait_for_services(services, wait, bar.show)
    await_rest(services, wait, run.as_json)
    since, until = run.backup.taken_at - rejoining.BEFORE, datetime.now(UTC)
    pairs = rejoining.pairs()
    with progress("sending again what is lost", len(pairs), run.as_json) as bar:
        for sender, consumer in pairs:
            count = rejoining.send_lost(services, sender, consumer, since, until, run.actor)
            bar.step(f"{counted(count, 'message')} from {sender} to {consumer}")
    await_rest(services, wait, run.as_json)
    for owner in rejoining.RESYNCED:
        for shop in asyncio.run(rejoining.shops_to_resync(owner, run.urls[owner])):
            answer = services.post(
                owner,
                "resync",
                {"consumer": "orders", "shop": shop, "orders": None, "actor": run.actor, "dry": False},
            )
            await_resync(services, owner, answer, run.as_json)
    await_rest(services, wait, run.as_json)


def _audit(run: Restore) -> list[Any]:
    with progress("auditing", len(CHECKS) + 1, run.as_json) as bar:
        try:
            return asyncio.run(run_audit(run.urls, quiet_seconds=QUIET_SECONDS, on_check=bar.step))
        except (*dumping.DATABASE_ERRORS, ConnectionLost) as error:
            raise Unreachable(f"could not audit: {type(error).__name__}: {error}") from None


def _report(run: Restore, found: dict[str, Any]) -> None:
    doubted = asyncio.run(_doubted(run))
    gaps = asyncio.run(series.recorded(run.urls["payments"]))
    data = {
        "backup_id": str(run.backup_id),
        "taken_at": run.backup.taken_at.isoformat(),
        **found,
        "violations": [asdict(one) for one in found["violations"]],
        "uncertain": doubted,
        "invoice_gaps": [{"series": str(one.series), "first": one.first, "last": one.last} for one in gaps],
    }
    emit(data, run.as_json, lambda console: _show(console, data, found["violations"]))


async def _doubted(run: Restore) -> dict[str, dict[str, int]]:
    query = "SELECT kind, count(*) AS effects FROM msg.effect WHERE state = 'uncertain' GROUP BY kind ORDER BY kind"
    found = {}
    for service, url in run.urls.items():
        rows = await filling.fetch(service, url, query)
        found[service] = {row["kind"]: row["effects"] for row in rows}
    return {service: kinds for service, kinds in found.items() if kinds}


def _show(console: Console, data: Mapping[str, Any], violations: list[Any]) -> None:
    for one in violations:
        console.print(str(one))
    for service, kinds in data["uncertain"].items():
        for kind, count in kinds.items():
            console.print(
                f"{service}: {counted(count, 'uncertain effect')} of kind {kind}: staff decide on each"
            )
    for gap in data["invoice_gaps"]:
        console.print(f"{gap['series']}: {gap['first']} to {gap['last']} have no document here")
    console.print(
        f"restored to {data['taken_at']}: {len(CHECKS)} checks, {counted(len(violations), 'violation')}"
    )
    console.print(
        "finished: effects are executed again"
        if data["finished"]
        else "not finished: reconcile, then run it again with --finish; until then nothing is sent"
    )
