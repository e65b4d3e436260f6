"""`comptoir parked`: messages that could not be handled: list, explain, retry, discard."""

import json
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console

from deploy.cli.failures import NotConfigured, Refused, Status
from deploy.cli.options import (
    NAMES,
    Actor,
    AsJson,
    NamedServices,
    ServiceName,
    Shop,
    filled,
    named,
    services_of,
    whole_number,
)
from deploy.cli.output import emit, table
from deploy.cli.services import Services

commands = typer.Typer(help="List, explain, retry or discard parked messages.", no_args_is_help=True)
PAGE = 500


class State(StrEnum):
    """State of a parked message."""

    WAITING = "waiting"
    DEAD = "dead"
    RESOLVED = "resolved"
    DISCARDED = "discarded"


Service = Annotated[
    ServiceName, typer.Argument(metavar="SERVICE", help=f"Service that has parked it: {NAMES}.")
]
ParkedId = Annotated[
    int | None, typer.Argument(metavar="[ID]", parser=whole_number, help="Id of one message.")
]
States = Annotated[
    list[State] | None,
    typer.Option("--state", metavar="STATE", help=f"{', '.join(State)}; the first two unless given."),
]
Fingerprint = Annotated[
    str | None,
    typer.Option("--fingerprint", metavar="TEXT", callback=filled, help="All that failed alike."),
]


@commands.command("list")
def list_parked(
    context: typer.Context,
    services: NamedServices = None,
    state: States = None,
    fingerprint: Fingerprint = None,
    shop: Shop = None,
    grouped: Annotated[bool, typer.Option("--grouped", help="Count those that failed alike.")] = False,
    limit: Annotated[
        int,
        typer.Option(
            "--limit", parser=whole_number, metavar="N", help="Most messages of a service, at least 1."
        ),
    ] = 100,
    as_json: AsJson = False,
) -> None:
    """List parked messages, newest first."""
    client = services_of(context)
    query = {"state": [one.value for one in state or (State.WAITING, State.DEAD)]}
    query |= {name: [value] for name, value in (("fingerprint", fingerprint), ("shop", shop)) if value}
    if grouped:
        groups = [row for one in named(services) for row in _groups(client, one, query)]
        emit({"groups": groups}, as_json, lambda console: _show_groups(console, groups))
        return
    rows = [row for one in named(services) for row in _rows(client, one, query, limit)]
    emit({"parked": rows}, as_json, lambda console: _show_rows(console, rows))


def _groups(client: Services, service: str, query: dict[str, list[str]]) -> list[dict[str, Any]]:
    found = client.get(service, "parked", {**query, "group": "fingerprint"})["groups"]
    return [{"service": service, **row} for row in found]


def _rows(
    client: Services, service: str, query: dict[str, list[str]], limit: int
) -> Iterator[dict[str, Any]]:
    """Yield the parked messages of a service, up to `limit`; a page is read when it is needed."""
    before: dict[str, list[str]] = {}
    while limit > 0:
        page = client.get(service, "parked", {**query, **before})["parked"]
        yield from ({"service": service, **row} for row in page[:limit])
        limit -= len(page)
        if len(page) < PAGE:
            return
        before = {"before": [str(page[-1]["id"])]}


def _show_rows(console: Console, rows: list[dict[str, Any]]) -> None:
    if not rows:
        console.print("no parked messages")
        return
    columns = ("service", "id", "state", "type", "reason", "attempts", "first_at", "fingerprint")
    console.print(table(columns, ([_short(name, row[name]) for name in columns] for row in rows)))


def _show_groups(console: Console, groups: list[dict[str, Any]]) -> None:
    if not groups:
        console.print("no parked messages")
        return
    columns = ("service", "messages", "waiting", "dead", "type", "reason", "last_at", "fingerprint")
    console.print(table(columns, ([_short(name, group[name]) for name in columns] for group in groups)))


def _short(name: str, value: Any) -> Any:
    """Return a value as a table shows it: times in seconds."""
    return f"{value[:19]}Z" if name.endswith("_at") and value else value


@commands.command("explain")
def explain(
    context: typer.Context,
    service: Service,
    parked_id: Annotated[int, typer.Argument(metavar="ID", parser=whole_number, help="Id of the message.")],
    as_json: AsJson = False,
) -> None:
    """Show why one message is parked, and its content.

    Personal data in its body is hidden.
    """
    row = services_of(context).get(service, f"parked/{parked_id}")["parked"]

    def show(console: Console) -> None:
        fields = {name: value for name, value in row.items() if name not in ("headers", "body")}
        console.print(table(("field", "value"), fields.items()))
        console.print(f"headers: {json.dumps(row['headers'], ensure_ascii=False, indent=2)}")
        console.print(f"body: {row['body']['text']}")

    emit({"service": service, **row}, as_json, show)


@commands.command("retry")
def retry(
    context: typer.Context,
    service: Service,
    parked_id: ParkedId = None,
    fingerprint: Fingerprint = None,
    everything: Annotated[bool, typer.Option("--all", help="All dead messages of the service.")] = False,
    shop: Shop = None,
    actor: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Have dead messages handled again.

    Status 1 if there is none.
    """
    client = services_of(context)
    chosen = _chosen(client, service, parked_id, fingerprint, everything, shop)
    bodies = ({**one, "shop": shop, "actor": actor} for one in chosen)
    count = sum(int(client.post(service, "parked/redrive", body)["redriven"]) for body in bodies)
    emit(
        {"service": service, "retried": count},
        as_json,
        lambda console: console.print(_said(count, "retried")),
    )
    if not count:
        raise typer.Exit(Status.FOUND)


@commands.command("discard")
def discard(
    context: typer.Context,
    service: Service,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why they need not be handled; it is recorded.")
    ],
    parked_id: ParkedId = None,
    fingerprint: Fingerprint = None,
    everything: Annotated[bool, typer.Option("--all", help="All dead messages of the service.")] = False,
    shop: Shop = None,
    actor: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Discard parked messages with the reason.

    They stay readable until they expire. Status 1 if there is none.
    """
    client = services_of(context)
    chosen = _chosen(client, service, parked_id, fingerprint, everything, shop)
    bodies = ({**one, "shop": shop, "actor": actor, "reason": reason} for one in chosen)
    count = sum(_discard(client, service, body) for body in bodies)
    emit(
        {"service": service, "discarded": count},
        as_json,
        lambda console: console.print(_said(count, "discarded")),
    )
    if not count:
        raise typer.Exit(Status.FOUND)


def _chosen(
    client: Services,
    service: str,
    parked_id: int | None,
    fingerprint: str | None,
    everything: bool,
    shop: str | None,
) -> Iterable[dict[str, Any]]:
    """Return the bodies that name the chosen messages. Raises NotConfigured unless one way of naming is used."""
    if [parked_id is not None, fingerprint is not None, everything].count(True) != 1:
        raise NotConfigured(
            "give either the ID of one message, --fingerprint (all that failed alike) or --all"
        )
    if not everything:
        return [{"id": parked_id} if parked_id is not None else {"fingerprint": fingerprint}]
    return _all_dead(client, service, {"state": ["dead"], **({"shop": [shop]} if shop else {})})


def _all_dead(client: Services, service: str, query: dict[str, list[str]]) -> Iterator[dict[str, Any]]:
    """Yield the bodies that name all dead messages. A service lists a limited number of groups: the list is read
    again until it has no other ones."""
    named: set[str] = set()
    while found := {group["fingerprint"] for group in _groups(client, service, query)} - named:
        yield from ({"fingerprint": one} for one in sorted(found))
        named |= found


def _discard(client: Services, service: str, body: dict[str, Any]) -> int:
    """Discard what a body names and return how many messages that were. A request discards a limited number of
    those that failed alike: it is repeated until none is left."""
    total = 0
    while True:
        answer = client.post(service, "parked/discard", body, (200, 404))
        if "discarded" not in answer:
            raise Refused(f"{service} answers: {answer.get('detail', 'not found')}")
        total += (count := int(answer["discarded"]))
        if not count or "id" in body:
            return total


def _said(count: int, verb: str) -> str:
    return (
        f"{count} {verb}" if count else f"nothing {verb}: no such message is parked in a state that allows it"
    )
