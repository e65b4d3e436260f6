"""Periodic check that the bindings of this service's queues in the broker match the catalogue.

A missing binding loses messages silently: the publisher's `mandatory` is satisfied as long as any other queue
receives them. Bindings are visible only through the broker's management API, which the service's own login
may query for its virtual host.
"""

from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import httpx2
import structlog

from services.chassis import metrics
from services.chassis.messaging.topology import Binding, bindings, dead_queue_of, listened_queues
from services.chassis.tls import trusting

log = structlog.get_logger()
POLL_SECONDS = 30.0
ANSWER_SECONDS = 5.0


class BindingWatch:
    """The missing bindings of a service, as of the last successful check."""

    def __init__(
        self, service: str, management_url: str, amqp_url: str, authorities: Path | None = None
    ) -> None:
        own = {*listened_queues(service), dead_queue_of(service)}
        self._meant = {binding for binding in bindings(()) if binding.queue in own}
        self._service = service
        vhost = unquote(urlsplit(amqp_url).path.removeprefix("/")) or "/"
        self._path = f"bindings/{quote(vhost, safe='')}"
        self._client = _client(management_url, amqp_url, authorities)
        self.missing: list[Binding] = []
        self.last_error: str | None = None

    async def look(self) -> None:
        """Compare the bindings. While the management API does not answer, the last result is kept; that is
        logged once."""
        try:
            answer = await self._client.get(self._path)
            answer.raise_for_status()
            existing = {_binding(row) for row in answer.json()}
        except (httpx2.HTTPError, ValueError, KeyError, TypeError) as error:
            if self.last_error is None:
                log.warning("could not read the bindings", error=type(error).__name__)
            self.last_error = type(error).__name__
            return
        missing, self.last_error = sorted(self._meant - existing), None
        if missing and missing != self.missing:
            log.error(
                "bindings are missing; apply the topology", bindings=[_words(one) for one in missing[:20]]
            )
        self.missing = missing
        metrics.BINDINGS_MISSING.labels(self._service).set(len(missing))

    def words(self) -> list[str]:
        """Return the missing bindings, one sentence per queue."""
        queues = sorted({binding.queue for binding in self.missing})
        return [_sentence([one for one in self.missing if one.queue == queue]) for queue in queues]

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _binding(row: Any) -> Binding:
    return Binding(str(row["source"]), str(row["destination"]), str(row["routing_key"]))


def _words(binding: Binding) -> str:
    return f"{binding.exchange} -> {binding.queue} by {binding.routing_key}"


def _sentence(missing: list[Binding]) -> str:
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    return f"broker: the binding {_words(missing[0])}{more} is missing, its messages are lost; apply the topology"


def _client(management_url: str, amqp_url: str, authorities: Path | None) -> httpx2.AsyncClient:
    """Return a client with the credentials in the URL, or else those of the service's own login."""
    parts, login = urlsplit(management_url), urlsplit(amqp_url)
    bare = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))
    who = parts if parts.username else login
    return httpx2.AsyncClient(
        base_url=f"{bare}/api/",
        auth=(unquote(who.username or ""), unquote(who.password or "")),
        timeout=ANSWER_SECONDS,
        trust_env=False,
        verify=trusting(authorities) if parts.scheme == "https" else False,  # no need to load certificates
    )
