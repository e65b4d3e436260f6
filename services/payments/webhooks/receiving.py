"""The providers' endpoint: the raw body is verified, stored and committed, and only then answered with 200.

No business rule runs here; the worker interprets the webhook. PostgreSQL is the only dependency, so webhooks
are accepted while the broker is unavailable. Answers carry no body and do not reveal which check failed: 200
stored now or before, 400 bad signature, 404 no such endpoint, 408 too slow, 413 too large, 415 not plain
JSON, 503 try again later.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import prometheus_client
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from contracts.envelope import uuid7
from services.chassis.background.grouping import GroupCommit
from services.chassis.failpoints import reach
from services.chassis.http.edge import note_fault
from services.chassis.runtime.hub import Hub
from services.payments.accounts.unit import webhook_store
from services.payments.accounts.unit.webhook_store import Posted
from services.payments.providers import stripe
from services.payments.providers.stripe.event import name_of
from services.payments.providers.stripe.signature import SignatureRefused, verify
from services.payments.settings import PaymentsSettings, StripeEndpoint
from services.payments.webhooks.refusals import UNKNOWN_ENDPOINT, Refusals

MAX_BODY_BYTES = 512 * 1024
READ_SECONDS = 10.0
STORE_SECONDS = 3.0
KEPT_HEADERS = ("content-type", "user-agent", "stripe-signature")
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
        self._endpoints = {endpoint.slug: endpoint for endpoint in settings.stripe_endpoints}
        self._busy = dict.fromkeys(self._endpoints, 0)
        self._most_at_once = settings.webhooks_at_once
        self._group: GroupCommit[Posted, bool] = GroupCommit(self._store)

    async def receive(self, request: Request) -> Response:
        """Answer one post."""
        endpoint = self._endpoints.get(request.path_params["slug"])
        try:
            if endpoint is None:
                raise Refused(404, "endpoint_unknown")
            return await self._take(request, endpoint)
        except Refused as refused:
            self._refusals.count(endpoint.slug if endpoint else UNKNOWN_ENDPOINT, refused.reason)
            headers = {"retry-after": "5"} if refused.status == 503 else None
            if isinstance(refused.__cause__, Exception):
                note_fault(request, refused.__cause__)
            return Response(status_code=refused.status, headers=headers)

    async def _take(self, request: Request, endpoint: StripeEndpoint) -> Response:
        _check_kind(request)
        if self._busy[endpoint.slug] >= self._most_at_once:
            raise Refused(503, "too_many_at_once")
        self._busy[endpoint.slug] += 1
        try:
            body = await _read(request)
            _check_signature(request, endpoint, body)
            await self._keep(_posted(request, endpoint, body))
        finally:
            self._busy[endpoint.slug] -= 1
        return Response(status_code=200)

    async def _keep(self, posted: Posted) -> None:
        began = time.perf_counter()
        try:
            is_new = await self._group.submit(posted)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
            raise Refused(503, "database_away") from error
        STORE_TIME.labels(posted.endpoint).observe(time.perf_counter() - began)
        RECEIVED.labels(posted.endpoint, "stored" if is_new else "duplicate").inc()

    async def _store(self, posts: Sequence[Posted]) -> list[bool]:
        """Commit a batch; return for each post whether it is new. A repeat within the batch counts as
        delivered again.
        """
        batch = _merged(posts)
        async with asyncio.timeout(STORE_SECONDS), self._hub.acquire() as connection:
            new: set[UUID] = set()
            for each in batch:
                new |= await webhook_store.keep(connection, each)
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
    if len(request.headers.getlist("stripe-signature")) != 1:
        raise Refused(400, "header_malformed")


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


def _check_signature(request: Request, endpoint: StripeEndpoint, body: bytes) -> None:
    secrets = [secret.get_secret_value() for secret in endpoint.secrets]
    try:
        verify(request.headers["stripe-signature"], body, secrets, time.time())
    except SignatureRefused as refused:
        raise Refused(400, refused.reason) from None


def _posted(request: Request, endpoint: StripeEndpoint, body: bytes) -> Posted:
    event_id, event_type = name_of(body)
    kept = {name: request.headers[name][:4096] for name in KEPT_HEADERS if name in request.headers}
    return Posted(
        id=uuid7(),
        provider=stripe.PROVIDER,
        endpoint=endpoint.slug,
        shop=endpoint.shop,
        event_id=event_id,
        event_type=event_type,
        body=body,
        headers=json.dumps(kept),
        received_at=datetime.now(UTC),
    )
