"""Commands about what services have to do: `comptoir status`, `drain`, `pause`, `resume` and `effects`."""

import time
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console

from deploy.cli.failures import NotConfigured, Refused, Status, Unreachable
from deploy.cli.options import (
    NAMES,
    Actor,
    AsJson,
    NamedServices,
    ServiceName,
    Shop,
    filled,
    named,
    seconds,
    services_of,
)
from deploy.cli.output import Steps, emit, progress, table
from deploy.cli.services import Services

effects = typer.Typer(
    help="List or acknowledge failed effects: refunds, documents, reads, mails.", no_args_is_help=True
)
POLL_SECONDS = 0.5
Kind = Annotated[
    str | None,
    typer.Option("--kind", metavar="KIND", callback=filled, help="Effects of one kind, as in the list."),
]
PAUSE_HELP = "messages or effects; both unless given."
OPEN_EFFECTS = ("planned", "in_flight")


class Pausable(StrEnum):
    """What of a service can be paused."""

    MESSAGES = "messages"
    EFFECTS = "effects"


def status(context: typer.Context, services: NamedServices = None, as_json: AsJson = False) -> None:
    """Show queues, outboxes, effects and parked messages.

    Status 1 if a service can't do its work, 3 if one does not answer.
    """
    client = services_of(context)
    found, unreachable = [], []
    for service in named(services):
        try:
            found.append(client.get(service, "operations"))
        except Unreachable as failure:
            unreachable.append({"service": service, "why": str(failure)})
    emit(
        {"services": found, "unreachable": unreachable},
        as_json,
        lambda console: _show(console, found, unreachable),
    )
    if unreachable:
        raise typer.Exit(Status.UNREACHABLE)
    if any(one["missing"] for one in found):
        raise typer.Exit(Status.FOUND)


def _show(console: Console, found: list[dict[str, Any]], unreachable: list[dict[str, str]]) -> None:
    columns = (
        "service",
        "ready",
        "received",
        "outbox",
        "oldest s",
        "effects",
        "uncertain",
        "failed",
        "parked waiting",
        "parked dead",
    )
    console.print(table(columns, map(_figures, found)))
    for one in found:
        for words in (*one["missing"], *one["warnings"]):
            console.print(f"{one['service']}: {words}")
    for lost in unreachable:
        console.print(lost["why"])


def _figures(one: dict[str, Any]) -> Sequence[object]:
    counts = [queue["ready"] for queue in one["queues"]]
    return (
        one["service"],
        None if None in counts else sum(counts),
        sum(queue["in_hand"] for queue in one["queues"]),
        one["outbox"]["messages"],
        one["outbox"]["oldest_seconds"],
        _effects(one, *OPEN_EFFECTS),
        _effects(one, "uncertain"),
        _effects(one, "failed"),
        one["parked"]["waiting"],
        one["parked"]["dead"],
    )


def _effects(one: dict[str, Any], *states: str) -> int:
    return sum(row["effects"] for row in one["effects"] if row["state"] in states)


def drain(
    context: typer.Context,
    services: NamedServices = None,
    timeout: Annotated[
        float, typer.Option("--timeout", parser=seconds, metavar="SECONDS", help="Longest wait.")
    ] = 300.0,
    as_json: AsJson = False,
) -> None:
    """Wait until services have nothing left to do.

    Their queues and outboxes are then empty, and no effect or resync is open; parked messages do not count. Status 1
    if something is left after the timeout.
    """
    left = await_rest(services_of(context), timeout, as_json, named(services))
    emit({"drained": not left, "left": left}, as_json, lambda console: _show_left(console, left))
    if left:
        raise typer.Exit(Status.FOUND)


def await_rest(
    client: Services, timeout: float, as_json: bool, services: Sequence[str] = tuple(ServiceName)
) -> dict[str, list[str]]:
    """Wait until services have nothing left to do; return what each has left after the timeout."""
    deadline, quiet_polls, left = time.monotonic() + timeout, 0, dict[str, list[str]]()
    with progress("waiting", None, as_json) as bar:
        while quiet_polls < 2:
            left = _left(client, services)
            quiet_polls = 0 if left else quiet_polls + 1
            _show_progress(bar, left)
            if left and time.monotonic() > deadline:
                break
            time.sleep(POLL_SECONDS)
    return left


def _left(client: Services, services: Sequence[str]) -> dict[str, list[str]]:
    """Return what each service has left to do; services that have nothing are left out."""
    every = {service: _left_in(client.get(service, "operations")) for service in services}
    return {service: words for service, words in every.items() if words}


def _left_in(one: dict[str, Any]) -> list[str]:
    counts = {f"messages in {queue['queue']}": queue["ready"] for queue in one["queues"]}
    unknown = [f"{name}: the broker gave no number" for name, ready in counts.items() if ready is None]
    counts["messages received and not committed"] = sum(queue["in_hand"] for queue in one["queues"])
    counts["messages in the outbox"] = one["outbox"]["messages"]
    counts["effects"] = _effects(one, *OPEN_EFFECTS)
    counts["resyncs"] = sum(row["ended_at"] is None for row in one["resyncs"])
    return [*unknown, *(f"{count} {name}" for name, count in counts.items() if count)]


def _show_progress(bar: Steps, left: dict[str, list[str]]) -> None:
    bar.show(
        title="; ".join(f"{service}: {', '.join(words)}" for service, words in left.items()) or "waiting"
    )


def _show_left(console: Console, left: dict[str, list[str]]) -> None:
    for service, words in left.items():
        console.print(f"{service}: {', '.join(words)}")
    if not left:
        console.print("nothing is left to do")


def pause(
    context: typer.Context,
    service: Annotated[ServiceName, typer.Argument(metavar="SERVICE", help=f"{NAMES}.")],
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; it is shown until the service is resumed.")
    ],
    only: Annotated[Pausable | None, typer.Option("--only", metavar="WHAT", help=PAUSE_HELP)] = None,
    actor: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Stop a service from handling messages and executing effects.

    Messages wait in their queues, mails and calls of providers wait in the database; nothing is lost. Every process
    of the service follows within seconds, also one that starts later. HTTP, timers and publishing go on.
    """
    body = {"what": _what(only), "reason": reason, "actor": actor}
    _emit_paused(services_of(context).post(service, "pause", body), as_json)


def resume(
    context: typer.Context,
    service: Annotated[ServiceName, typer.Argument(metavar="SERVICE", help=f"{NAMES}.")],
    only: Annotated[Pausable | None, typer.Option("--only", metavar="WHAT", help=PAUSE_HELP)] = None,
    actor: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Let a service go on that was paused."""
    body = {"what": _what(only), "actor": actor}
    _emit_paused(services_of(context).post(service, "resume", body), as_json)


def _what(only: Pausable | None) -> list[str]:
    return [only.value] if only is not None else [one.value for one in Pausable]


def _emit_paused(answer: dict[str, Any], as_json: bool) -> None:
    paused = [f"{one['what']} (by {one['actor']}: {one['reason']})" for one in answer["paused"]]
    resumed = answer.get("resumed") or ()
    parts = [f"resumed: {', '.join(resumed)}"] if resumed else []
    parts += [f"{'still ' if resumed else ''}paused: {', '.join(paused)}"] if paused else []
    emit(
        answer,
        as_json,
        lambda console: console.print(f"{answer['service']}: {'; '.join(parts) or 'nothing was paused'}"),
    )


@effects.command("list")
def list_effects(
    context: typer.Context,
    services: NamedServices = None,
    kind: Kind = None,
    shop: Shop = None,
    acknowledged: Annotated[
        bool, typer.Option("--acknowledged", help="Those that were acknowledged, with the reason.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List failed effects that nobody has acknowledged, newest first."""
    client = services_of(context)
    query = {"state": "acknowledged" if acknowledged else "failed"}
    query |= {name: value for name, value in (("kind", kind), ("shop", shop)) if value}
    answers = {one: client.get(one, "effects", query) for one in named(services)}
    rows = [{"service": one, **row} for one, answer in answers.items() for row in answer["effects"]]
    totals = {one: int(answer.get("total", len(answer["effects"]))) for one, answer in answers.items()}
    seen = ("acknowledged_at", "acknowledged_by", "acknowledgement") if acknowledged else ()
    columns = ("service", "kind", "key", "shop", "failed_at", "attempts", "detail", *seen)

    def show(console: Console) -> None:
        if not rows:
            console.print("no failed effects")
            return
        console.print(table(columns, ([row[name] for name in columns] for row in rows)))
        for one, total in totals.items():
            if total > (shown := len(answers[one]["effects"])):
                console.print(f"{one}: the latest {shown:,} of {total:,}")

    emit({"effects": rows, "total": sum(totals.values())}, as_json, show)


@effects.command("acknowledge")
def acknowledge(
    context: typer.Context,
    service: Annotated[ServiceName, typer.Argument(metavar="SERVICE", help=f"{NAMES}.")],
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why nothing has to be done; it is recorded.")
    ],
    key: Annotated[str | None, typer.Argument(metavar="[KEY]", help="Key of one effect.")] = None,
    kind: Kind = None,
    shop: Shop = None,
    actor: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Record that failed effects were seen and need nothing more.

    They stay failed and are not repeated; alerts no longer count them. Status 1 if there is none.
    """
    if (key is None) == (kind is None):
        raise NotConfigured("give either the KEY of one effect or --kind (all failed ones of it)")
    body = {"key": key, "kind": kind, "shop": shop, "reason": reason, "actor": actor}
    answer = services_of(context).post(service, "effects/acknowledge", body, (200, 404))
    if "acknowledged" not in answer:
        raise Refused(f"{service} answers: {answer.get('detail', 'not found')}; its version may be older")
    count = int(answer["acknowledged"])
    why = {
        True: "it was already",
        False: "there is no such failed effect",
        None: "no such effect has failed, or it was already",
    }[answer.get("already")]
    text = f"{count} acknowledged" if count else f"nothing acknowledged: {why}"
    emit({"service": service, **answer}, as_json, lambda console: console.print(text))
    if not count:
        raise typer.Exit(Status.FOUND)
