"""The queues as a page shows them: what the broker counts, joined with what the listeners say. Pure but for `Stuck`.

How long a message waits no quorum queue tells. It is estimated: what waits, divided by the rate at which it is
taken; when nothing is taken, the time since this process first saw that, which is the least it can be.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from contracts.catalogue import SERVICES
from services.chassis.messaging.topology import listened_queues
from services.orders.backoffice.web.clients.broker import QueueFigures

DEAD = "dead"
"""Behind a service's name: messages that the broker gave up on."""


@dataclass(frozen=True)
class Queue:
    """One queue. None is what nobody says. `oldest_seconds` is an estimate, with `is_least` a lower bound.

    `trouble`: "missing" (not on the broker), "unheard" (nobody listens), "stuck" (nothing is taken), or "".
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
    trouble: str = ""


@dataclass
class Stuck:
    """Since when (monotonic seconds) each queue holds messages and nothing is taken from it, as far as was seen."""

    since: dict[str, float] = field(default_factory=dict)

    def seconds(self, name: str, ready: int, out_per_second: float, now: float) -> float | None:
        """For how long the queue has been stuck; None when it is not."""
        if ready == 0 or out_per_second > 0:
            self.since.pop(name, None)
            return None
        return now - self.since.setdefault(name, now)


def names_of(shop: str, known: Iterable[str]) -> list[tuple[str, str, str]]:
    """Queues that concern a shop, in a sequence that never changes: name, listener, sender. The services' own, what
    the broker gave up on, and the answers that wait for the shop's storefronts."""
    found = [(name, one, name.partition(".")[2]) for one in SERVICES for name in listened_queues(one)]
    found += [(f"{one}.{DEAD}", one, DEAD) for one in SERVICES]
    mine = sorted(name for name in known if name.startswith(f"storefront.{shop}."))
    return found + [(name, "storefront", "orders") for name in mine]


def of_broker(
    shop: str,
    counted: Mapping[str, QueueFigures],
    said: Mapping[str, Mapping[str, Any]],
    stuck: Stuck,
    now: float,
) -> list[Queue]:
    """Rows of what the broker counts. `said`: the listeners' own reports by queue, for unacknowledged messages."""
    rows = []
    for name, listener, sender in names_of(shop, counted):
        one = counted.get(name)
        if one is None:
            rows.append(Queue(name, listener, sender, trouble="missing"))
            continue
        for_long = stuck.seconds(name, one.ready, one.out_per_second, now)
        oldest = for_long if for_long is not None else _oldest(one)
        rows.append(
            Queue(
                name,
                listener,
                sender,
                one.ready,
                max(one.in_hand, said.get(name, {}).get("in_hand") or 0),
                one.consumers,
                one.in_per_second,
                one.out_per_second,
                one.redelivered_per_second,
                oldest,
                is_least=for_long is not None,
                trouble=_trouble(listener, one, for_long),
            )
        )
    return rows


def of_services(shop: str, said: Mapping[str, Mapping[str, Any]]) -> list[Queue]:
    """Rows of what the listeners alone say, without the broker's management."""
    rows = []
    for name, listener, sender in names_of(shop, ()):
        one = said.get(name, {})
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
                trouble="unheard" if one.get("consumers") == 0 else "",
            )
        )
    return rows


def _oldest(one: QueueFigures) -> float | None:
    return one.ready / one.out_per_second if one.ready and one.out_per_second else None


STUCK_SECONDS = 15.0


def _trouble(listener: str, one: QueueFigures, stuck_seconds: float | None) -> str:
    if listener == "storefront":
        return ""
    if one.consumers == 0:
        return "unheard"
    return "stuck" if (stuck_seconds or 0) > STUCK_SECONDS else ""
