"""Commands that have messages sent again: `comptoir replay`, `resync` and `lost`."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Annotated, Any

import typer
from rich.console import Console

from deploy import lost_messages
from deploy.cli.failures import Failure, Status
from deploy.cli.options import (
    NAMES,
    Actor,
    AsJson,
    Consumer,
    DryRun,
    From,
    NoWait,
    Sender,
    ServiceName,
    Shop,
    To,
    period,
    services_of,
    shop_named,
)
from deploy.cli.output import Steps, counted, emit, progress, table
from deploy.cli.services import Services

POLL_SECONDS = 0.5
STALLED_SECONDS = 120
Types = Annotated[
    list[str] | None, typer.Option("--type", metavar="TYPE", help="Event type; all unless given.")
]
Orders = Annotated[list[str] | None, typer.Option("--order", metavar="UUID", help="Order; all unless given.")]
lost = typer.Typer(help="Find messages that a queue lost, and send them again.", no_args_is_help=True)


def replay(
    context: typer.Context,
    sender: Sender,
    consumer: Consumer,
    since: From,
    until: To,
    types: Types = None,
    shop: Shop = None,
    dry_run: DryRun = False,
    no_wait: NoWait = False,
    actor: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Send a period's events to one consumer again.

    They have no external effects: no mail, no provider call.
    """
    span, services = period(since, until), services_of(context)
    body = {
        "consumer": consumer,
        **span,
        "types": types or None,
        "shop": shop,
        "check_shop": True,
        "actor": actor,
        "dry": dry_run,
    }
    requested = services.post(sender, "replay", body)
    if not (dry_run or no_wait):
        _await_replay(services, sender, requested, as_json)
    verb = "would be replayed" if dry_run else "requested" if no_wait else "sent"
    emit(
        requested,
        as_json,
        lambda console: console.print(
            f"{counted(requested['messages'], 'message')} to {requested['queue']} {verb}"
        ),
    )


def resync(
    context: typer.Context,
    owner: Annotated[
        ServiceName, typer.Argument(metavar="OWNER", help=f"Service that owns the data: {NAMES}.")
    ],
    consumer: Annotated[
        ServiceName, typer.Argument(metavar="CONSUMER", help=f"Service that lost its copy: {NAMES}.")
    ],
    shop: Annotated[
        str,
        typer.Option("--shop", metavar="SHOP", callback=shop_named, help="Shop whose orders are resynced."),
    ],
    orders: Orders = None,
    dry_run: DryRun = False,
    no_wait: NoWait = False,
    actor: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Re-emit the state of a shop's orders to one consumer.

    It is read from the owner's tables, and has no external effects.
    """
    services = services_of(context)
    body = {"consumer": consumer, "shop": shop, "orders": orders or None, "actor": actor, "dry": dry_run}
    requested = services.post(owner, "resync", body)
    if not (dry_run or no_wait):
        await_resync(services, owner, requested, as_json)
    verb = "would be resynced" if dry_run else "requested" if no_wait else "sent"
    emit(
        requested,
        as_json,
        lambda console: console.print(
            f"{counted(requested['orders'], 'order')} to {requested['queue']} {verb}"
        ),
    )


def _await_replay(services: Services, sender: str, requested: dict[str, Any], as_json: bool) -> None:
    """Wait until all messages of a replay were sent."""
    total = int(requested["messages"])

    def left(bar: Steps) -> int:
        to_leave = int(_row(services, sender, "replays", requested["replay_id"])["to_leave"])
        bar.show(total - to_leave)
        return to_leave

    with progress(f"replay to {requested['queue']}", total, as_json) as bar:
        wait_until_sent(lambda: left(bar), "replay")


def await_resync(services: Services, owner: str, requested: dict[str, Any], as_json: bool) -> None:
    """Wait until all orders of a resync were sent."""

    orders = int(requested["orders"])

    def left(bar: Steps) -> int:
        row = _row(services, owner, "resyncs", requested["resync_id"])
        bar.show(row["told"])
        return int(row["to_leave"]) + (0 if row["ended_at"] is not None else orders - int(row["told"]) + 1)

    with progress(f"resync to {requested['queue']}", orders, as_json) as bar:
        wait_until_sent(lambda: left(bar), "resync")


def _row(services: Services, service: str, kind: str, id_: str) -> dict[str, Any]:
    """Return the progress of a replay or resync. One that newer ones have displaced from the list counts as sent."""
    rows: list[dict[str, Any]] = services.get(service, "operations")[kind]
    sent = {"to_leave": 0, "told": 0, "ended_at": ""}
    return next((row for row in rows if row["id"] == id_), sent)


def wait_until_sent(left: Callable[[], int], name: str) -> None:
    """Wait until nothing is left to be sent. Raises Failure if nothing was sent for two minutes."""
    least, since = left(), time.monotonic()
    while least:
        if time.monotonic() - since > STALLED_SECONDS:
            raise Failure(
                f"nothing of the {name} was sent for {STALLED_SECONDS} seconds; it goes on once the broker takes"
                " messages again: look at the outbox with `comptoir status`"
            )
        time.sleep(POLL_SECONDS)
        if (now := left()) != least:
            least, since = now, time.monotonic()


@lost.command("count")
def count(
    context: typer.Context,
    sender: Sender,
    consumer: Consumer,
    since: From,
    until: To,
    shop: Shop = None,
    as_json: AsJson = False,
) -> None:
    """Count messages that the consumer never handled.

    Status 1 if there is any.
    """
    span, services = period(since, until), services_of(context)
    found = _find(services, sender, consumer, span, shop, as_json)
    _emit_lost(found, consumer, None, as_json)
    if found:
        raise typer.Exit(Status.FOUND)


@lost.command("send")
def send(
    context: typer.Context,
    sender: Sender,
    consumer: Consumer,
    since: From,
    until: To,
    shop: Shop = None,
    actor: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Send messages again that were never handled.

    They are sent as what they are: commands, and events with their effects.
    """
    span, services = period(since, until), services_of(context)
    found = _find(services, sender, consumer, span, shop, as_json)
    sent = lost_messages.send(services, sender, consumer, list(found), actor)
    _emit_lost(found, consumer, sent, as_json)
    if sent != len(found):
        raise typer.Exit(Status.FOUND)


def _find(
    services: Services,
    sender: str,
    consumer: str,
    span: dict[str, str],
    shop: str | None,
    as_json: bool,
) -> dict[str, str]:
    with progress(f"messages from {sender} to {consumer}", None, as_json):
        return lost_messages.find(services, sender, consumer, span, shop)


def _emit_lost(found: dict[str, str], consumer: str, sent: int | None, as_json: bool) -> None:
    types = dict(sorted(Counter(found.values()).items()))

    def show(console: Console) -> None:
        if types:
            console.print(table(("messages", "type"), ((count, type_) for type_, count in types.items())))
        console.print(
            f"{len(found)} never handled by {consumer}" + (f", {sent} sent again" if sent is not None else "")
        )

    emit({"types": types, "lost": len(found), "sent": sent}, as_json, show)
