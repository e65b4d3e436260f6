"""The providers' endpoint: the raw body is verified, stored and committed, and only then answered with 200.

No business rule runs here; the worker interprets the webhook. PostgreSQL is the only dependency, so webhooks
are accepted while the broker is unavailable. Answers carry no body and do not reveal which check failed: 200
stored now or before, 400 bad signature, 404 no such endpoint, 408 too slow, 413 too large, 415 not plain
JSON, 503 try again later.
"""

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import prometheus_client
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from contracts.envelope import uuid7
from services.chassis.background.group_commit import GroupCommit
from services.chassis.failpoints import reach
from services.chassis.http.problems import note_fault
from services.chassis.runtime.hub import Hub
from services.payments.endpoints.loading import look_again
from services.payments.providers.port import (
    Delivery,
    Endpoint,
    Provider,
    SignatureRefused,
    VerificationUnavailable,
)
from services.payments.settings import PaymentsSettings
from services.payments.webhooks import store, transmission_store
from services.payments.webhooks.refusals import UNKNOWN_ENDPOINT, Refusals
from services.payments.webhooks.store import Posted

MAX_BODY_BYTES = 512 * 1024
READ_SECONDS = 10.0
DATABASE_UNAVAILABLE = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
STORE_SECONDS = 3.0
KEPT_HEADERS = ("content-type", "user-agent")
"""Headers stored with the body, beside those of the provider's signature."""
RECEIVED = prometheus_client.Counter(
    "comptoir_webhooks_received_total",
    "Webhooks stored, and repeats of stored ones.",
    ["endpoint", "outcome"],
)
STORE_TIME = prometheus_client.Histogram(
    "comptoir_webhook_store_seconds", "From the last byte to the commit.", ["endpoint"]
)


class Refused(Exception):
    """A rejected post: the status, and the reason for our own counts."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


class Receiver:
    """The receiver of posts for all endpoints of this process; those that arrive together share one commit."""

    def __init__(self, hub: Hub, settings: PaymentsSettings, refusals: Refusals, on_stored: Any) -> None:
        self._hub = hub
        self._refusals = refusals
        self._on_stored = on_stored
        self._providers = settings.providers
        self._busy: dict[str, int] = defaultdict(int)
        self._most_at_once = settings.webhooks_at_once
        self._group: GroupCommit[Posted, bool] = GroupCommit(self._store)

    async def receive(self, request: Request) -> Response:
        """Answer one post."""
        name = UNKNOWN_ENDPOINT
        try:
            provider, endpoint = await self._find(**request.path_params)
            name = endpoint.slug
            return await self._take(request, provider, endpoint)
        except Refused as refused:
            self._refusals.count(name, refused.reason)
            headers = {"retry-after": "5"} if refused.status == 503 else None
            if isinstance(refused.__cause__, Exception):
                note_fault(request, refused.__cause__)
            return Response(status_code=refused.status, headers=headers)

    async def _find(self, provider: str, slug: str) -> tuple[Provider, Endpoint]:
        """Return an endpoint. Before the stored ones were read for the first time, they are read."""
        if not self._providers.knows(provider, slug) and self._providers.stored is None:
            try:
                async with asyncio.timeout(STORE_SECONDS):
                    await look_again(self._hub)
            except DATABASE_UNAVAILABLE as error:
                raise Refused(503, "database_away") from error
        if not self._providers.knows(provider, slug):
            raise Refused(404, "endpoint_unknown")
        found = self._providers[provider]
        return found, found.endpoints[slug]

    async def _take(self, request: Request, provider: Provider, endpoint: Endpoint) -> Response:
        _check_kind(request)
        headers = {name: request.headers.getlist(name) for name in provider.signature_headers}
        _check_headers(provider, endpoint, headers)
        if self._busy[endpoint.slug] >= self._most_at_once:
            raise Refused(503, "too_many_at_once")
        self._busy[endpoint.slug] += 1
        try:
            body = await _read(request)
            sent = await _check_signature(provider, endpoint, Delivery(headers, body))
            await self._keep(_posted(request, provider, endpoint, body), sent)
        finally:
            self._busy[endpoint.slug] -= 1
        return Response(status_code=200)

    async def _keep(self, posted: Posted, transmission: str | None) -> None:
        began = time.perf_counter()
        try:
            if transmission is not None:
                await self._check_transmission(posted, transmission)
            is_new = await self._group.submit(posted)
        except DATABASE_UNAVAILABLE as error:
            raise Refused(503, "database_away") from error
        STORE_TIME.labels(posted.endpoint).observe(time.perf_counter() - began)
        RECEIVED.labels(posted.endpoint, "stored" if is_new else "duplicate").inc()

    async def _check_transmission(self, posted: Posted, transmission: str) -> None:
        """Refuse a body under signature headers that came with another body before: a forgery."""
        row = transmission_store.TransmissionRow(
            posted.provider, posted.endpoint, transmission, posted.received_at
        )
        async with asyncio.timeout(STORE_SECONDS), self._hub.acquire() as connection:
            is_same = await transmission_store.record(connection, row, posted.body)
        if not is_same:
            raise Refused(400, "transmission_reused")

    async def _store(self, posts: Sequence[Posted]) -> list[bool]:
        """Commit a batch; return for each post whether it is new. A repeat within the batch counts as
        delivered again.
        """
        batch = _merged(posts)
        async with asyncio.timeout(STORE_SECONDS), self._hub.acquire() as connection:
            new: set[UUID] = set()
            for each in batch:
                new |= await store.keep(connection, each)
        reach("webhook_committed")
        if new:
            self._on_stored()
        return [post.id in new for post in posts]


def _merged(posts: Sequence[Posted]) -> list[list[Posted]]:
    """Return the posts in rounds that name each event once; equal ones are one, delivered several times."""
    rounds: list[dict[tuple[str, str, str], Posted]] = []
    for post in posts:
        for one in rounds:
            first = one.setdefault(post.key, post)
            if first.body == post.body:
                if first is not post:
                    one[post.key] = first._replace(deliveries=first.deliveries + 1)
                break
        else:
            rounds.append({post.key: post})
    return [[one[key] for key in sorted(one)] for one in rounds]


def _check_kind(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(415, "not_json")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Refused(415, "compressed")


async def _read(request: Request) -> bytes:
    """Return the body, counted as it arrives: the request's own length header is not trusted."""
    chunks: list[bytes] = []
    left = MAX_BODY_BYTES
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for chunk in request.stream():
                left -= len(chunk)
                if left < 0:
                    raise Refused(413, "too_large")
                chunks.append(chunk)
    except TimeoutError:
        raise Refused(408, "too_slow") from None
    except ClientDisconnect:
        raise Refused(400, "disconnected") from None
    return b"".join(chunks)


def _check_headers(provider: Provider, endpoint: Endpoint, headers: Mapping[str, Sequence[str]]) -> None:
    try:
        provider.check_headers(endpoint.slug, headers)
    except SignatureRefused as refused:
        raise Refused(400, refused.reason) from None


async def _check_signature(provider: Provider, endpoint: Endpoint, delivery: Delivery) -> str | None:
    try:
        return await provider.verify(endpoint.slug, delivery)
    except SignatureRefused as refused:
        raise Refused(400, refused.reason) from None
    except VerificationUnavailable as unavailable:
        raise Refused(503, unavailable.reason) from unavailable


def _posted(request: Request, provider: Provider, endpoint: Endpoint, body: bytes) -> Posted:
    event_id, event_type = provider.name_of(body)
    names = (*KEPT_HEADERS, *provider.signature_headers)
    kept = {name: request.headers[name][:4096] for name in names if name in request.headers}
    return Posted(
        id=uuid7(),
        provider=provider.name,
        endpoint=endpoint.slug,
        shop=endpoint.shop,
        event_id=event_id,
        event_type=event_type,
        body=body,
        headers=json.dumps(kept),
        received_at=datetime.now(UTC),
    )
