"""RabbitMQ's management API for the back office: statistics of the queues of our virtual host, nothing else.

Only a few columns are requested, with the user from the settings, and messages are never fetched: that would count
as a delivery.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import httpx2
import structlog

from services.chassis.tls import trusting
from services.orders.backoffice.web.settings import BackofficeSettings

log = structlog.get_logger()
SECONDS = 2.0
COLUMNS = (
    "name",
    "messages_ready",
    "messages_unacknowledged",
    "consumers",
    "message_stats.publish_details.rate",
    "message_stats.ack_details.rate",
    "message_stats.redeliver_details.rate",
)


@dataclass(frozen=True)
class QueueFigures:
    """A queue's statistics from the broker; rates are messages per second over its last samples."""

    ready: int
    in_hand: int
    consumers: int
    in_per_second: float
    out_per_second: float
    redelivered_per_second: float


@dataclass(frozen=True)
class BrokerDown:
    """The management API has been unavailable since then (None: its URL is not in the settings)."""

    since: datetime | None


class Broker:
    """The management API of one broker."""

    def __init__(self, settings: BackofficeSettings) -> None:
        self._client: httpx2.AsyncClient | None = None
        self._down_since: datetime | None = None
        vhost = unquote(urlsplit(settings.amqp_url.get_secret_value()).path.removeprefix("/")) or "/"
        self._path = f"queues/{quote(vhost, safe='')}"
        if settings.rabbitmq_management_url is not None:
            self._client = _client(settings.rabbitmq_management_url.get_secret_value(), settings.amqp_ca_file)

    async def queues(self) -> dict[str, QueueFigures] | BrokerDown:
        """Return every queue's statistics by name, or BrokerDown."""
        if self._client is None:
            return BrokerDown(None)
        try:
            answer = await self._client.get(self._path, params={"columns": ",".join(COLUMNS)})
            answer.raise_for_status()
            found = {str(row["name"]): figures(row) for row in answer.json()}
        except (httpx2.HTTPError, ValueError, TypeError, KeyError) as error:
            if self._down_since is None:
                log.warning("RabbitMQ management API unavailable", error=type(error).__name__)
            self._down_since = self._down_since or datetime.now(UTC)
            return BrokerDown(self._down_since)
        self._down_since = None
        return found

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()


def figures(row: Mapping[str, Any]) -> QueueFigures:
    """Parse a row of the management API's list; a queue without any traffic yet has no rates."""
    stats = row.get("message_stats") or {}

    def rate(name: str) -> float:
        return float((stats.get(f"{name}_details") or {}).get("rate") or 0)

    return QueueFigures(
        ready=int(row.get("messages_ready") or 0),
        in_hand=int(row.get("messages_unacknowledged") or 0),
        consumers=int(row.get("consumers") or 0),
        in_per_second=rate("publish"),
        out_per_second=rate("ack"),
        redelivered_per_second=rate("redeliver"),
    )


def _client(url: str, authorities: Path | None) -> httpx2.AsyncClient:
    parts = urlsplit(url)
    bare = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))
    return httpx2.AsyncClient(
        base_url=f"{bare}/api/",
        auth=(unquote(parts.username or ""), unquote(parts.password or "")),
        timeout=SECONDS,
        trust_env=False,
        verify=trusting(authorities) if parts.scheme == "https" else False,  # no need to load certificates
    )
