"""View models of queues: the broker's statistics joined with the consumers' reports. Pure except `Stuck`.

Quorum queues do not report how long a message waits. It is estimated: the number of waiting messages, divided
by the rate of consumption; when nothing is consumed, the time since this process first observed that, which
is a lower bound.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from contracts.catalogue import SERVICES
from services.chassis.messaging.topology import listened_queues
from services.orders.backoffice.web.clients.broker import QueueFigures

DEAD = "dead"
"""Suffix of a service's dead-letter queue: messages that the broker gave up on."""


@dataclass(frozen=True)
class Queue:
    """One queue. None is an unknown value. `oldest_seconds` is an estimate, with `is_least` a lower bound.

    `problem`: "missing" (not on the broker), "unheard" (no consumer), "stuck" (nothing is consumed), or "".
    """

    name: str
    listener: str
    sender: str
    ready: int | None = None
    in_hand: int | None = None
    consumers: int | None = None
    in_per_second: float | None = None
    out_per_second: float | None = None
    redelivered_per_second: float | None = None
    oldest_seconds: float | None = None
    is_least: bool = False
    problem: str = ""


@dataclass
class Stuck:
    """The time (monotonic seconds) since when each queue was observed to hold messages without being
    consumed.
    """

    since: dict[str, float] = field(default_factory=dict)

    def seconds(self, name: str, ready: int, out_per_second: float, now: float) -> float | None:
        """Return for how long the queue has been stuck; None when it is not."""
        if ready == 0 or out_per_second > 0:
            self.since.pop(name, None)
            return None
        return now - self.since.setdefault(name, now)


def names_of(shop: str, known: Iterable[str]) -> list[tuple[str, str, str]]:
    """Return queues that concern a shop, in a fixed order: name, consumer, sender. They are the services'
    own, the broker's dead letters, and the answers for the shop's storefronts.
    """
    found = [(name, one, name.partition(".")[2]) for one in SERVICES for name in listened_queues(one)]
    found += [(f"{one}.{DEAD}", one, DEAD) for one in SERVICES]
    mine = sorted(name for name in known if name.startswith(f"storefront.{shop}."))
    return found + [(name, "storefront", "orders") for name in mine]


def of_broker(
    shop: str,
    counted: Mapping[str, QueueFigures],
    reported: Mapping[str, Mapping[str, Any]],
    stuck: Stuck,
    now: float,
) -> list[Queue]:
    """Return rows from the broker's statistics. `said`: the consumers' own reports by queue, for unacknowledged
    messages.
    """
    rows = []
    for name, listener, sender in names_of(shop, counted):
        one = counted.get(name)
        if one is None:
            rows.append(Queue(name, listener, sender, problem="missing"))
            continue
        for_long = stuck.seconds(name, one.ready, one.out_per_second, now)
        oldest = for_long if for_long is not None else _oldest(one)
        rows.append(
            Queue(
                name,
                listener,
                sender,
                one.ready,
                max(one.in_hand, reported.get(name, {}).get("in_hand") or 0),
                one.consumers,
                one.in_per_second,
                one.out_per_second,
                one.redelivered_per_second,
                oldest,
                is_least=for_long is not None,
                problem=_problem(listener, one, for_long),
            )
        )
    return rows


def of_services(shop: str, reported: Mapping[str, Mapping[str, Any]]) -> list[Queue]:
    """Return rows from the consumers' reports only, without the broker's management API."""
    rows = []
    for name, listener, sender in names_of(shop, ()):
        one = reported.get(name, {})
        rows.append(
            Queue(
                name,
                listener,
                sender,
                one.get("ready"),
                one.get("in_hand"),
                one.get("consumers"),
                None,
                one.get("messages_per_second"),
                None,
                problem="unheard" if one.get("consumers") == 0 else "",
            )
        )
    return rows


def _oldest(one: QueueFigures) -> float | None:
    return one.ready / one.out_per_second if one.ready and one.out_per_second else None


STUCK_SECONDS = 15.0


def _problem(listener: str, one: QueueFigures, stuck_seconds: float | None) -> str:
    if listener == "storefront":
        return ""
    if one.consumers == 0:
        return "unheard"
    return "stuck" if (stuck_seconds or 0) > STUCK_SECONDS else ""
