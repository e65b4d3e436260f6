"""The monitor: reports of the services and statistics of the broker, fetched at most once every few seconds.

The services are called once for all users who watch. An unavailable service or broker is part of the result,
never an error.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Any, cast

from contracts.catalogue import SERVICES
from services.orders.api.owners.clients import Owner, ServiceClients, ServiceUnavailable
from services.orders.backoffice.web.clients import queues
from services.orders.backoffice.web.clients.broker import Broker, BrokerDown, QueueFigures
from services.orders.backoffice.web.clients.queues import Queue, Stuck
from services.orders.backoffice.web.settings import BackofficeSettings

FRESH_SECONDS = 2.0


@dataclass(frozen=True)
class ServiceSeen:
    """A service: its own report (see `GET /internal/operations`), or that it is unavailable."""

    name: Owner
    report: Mapping[str, Any]
    down: ServiceUnavailable | None

    @property
    def is_unavailable(self) -> bool:
        """Return whether the service is set up and does not answer."""
        return self.down is not None and self.down.since is not None

    @property
    def is_ready(self) -> bool:
        """Return whether it answers and has everything it needs: queues, bindings, the database."""
        return self.down is None and not self.report.get("missing")


@dataclass(frozen=True)
class Seen:
    """One result. `counted` has the broker's statistics, or BrokerDown."""

    at: datetime
    services: list[ServiceSeen]
    counted: Mapping[str, QueueFigures] | BrokerDown
    stuck: Stuck
    began: float

    def queues_of(self, shop: str) -> list[Queue]:
        """Return the queues that concern a shop."""
        reported = {
            str(each["queue"]): each for service in self.services for each in service.report.get("queues", ())
        }
        if isinstance(self.counted, BrokerDown):
            return queues.of_services(shop, reported)
        return queues.of_broker(shop, self.counted, reported, self.stuck, self.began)

    @property
    def broker_down(self) -> BrokerDown | None:
        """Return BrokerDown when there are no statistics of the broker; None otherwise."""
        return self.counted if isinstance(self.counted, BrokerDown) else None


class Monitor:
    """The cached monitor of services and broker."""

    def __init__(self, settings: BackofficeSettings, clients: ServiceClients) -> None:
        self._owners, self._broker = clients, Broker(settings)
        self._lock, self._seen, self._stuck = asyncio.Lock(), cast("Seen | None", None), Stuck()

    async def current(self, at_most_seconds: float = FRESH_SECONDS) -> Seen:
        """Return the current state, at most `at_most_seconds` old; concurrent callers share one fetch."""
        async with self._lock:
            if self._seen is None or monotonic() - self._seen.began > at_most_seconds:
                self._seen = await self._fetch()
            return self._seen

    def invalidate(self) -> None:
        """Invalidate the cache: something was just changed."""
        self._seen = None

    async def close(self) -> None:
        """Close the connections."""
        await self._broker.close()

    async def _fetch(self) -> Seen:
        began = monotonic()
        services, counted = await asyncio.gather(
            asyncio.gather(*(self._ask(cast("Owner", name)) for name in SERVICES)), self._broker.queues()
        )
        return Seen(datetime.now(UTC), list(services), counted, self._stuck, began)

    async def _ask(self, name: Owner) -> ServiceSeen:
        report = await self._owners.get(name, "/internal/operations")
        if isinstance(report, ServiceUnavailable):
            return ServiceSeen(name, {}, report)
        return ServiceSeen(name, report.body if isinstance(report.body, dict) else {}, None)
