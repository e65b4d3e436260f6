"""The provider's API as far as Comptoir calls it: refunds are made, kept, listed, and told by webhook.

Written from Stripe's reference and apart from the service's client, so that the two check each other: the same
idempotency key gives the first answer again, more than was paid is refused in Stripe's words, and a refund is told by
`refund.created`, `charge.refunded` and `refund.updated`, in whichever sequence they arrive.
"""

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any, Self
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.demo.standins.serving import FaultInjection, Server
from deploy.demo.standins.stripe_lists import StripeLists

Deliver = Callable[[bytes], Awaitable[object]]
API_VERSION = "2025-10-29.clover"


class StripeApi:
    """Answers on one port of 127.0.0.1. `deliver` posts a webhook's body, signed; `troubles` are answered first."""

    def __init__(self, port: int, key: str, deliver: Deliver) -> None:
        self.refunds: dict[str, dict[str, Any]] = {}
        self.faults = FaultInjection()
        """What goes wrong with the next refunds that are asked for: 500, 429."""
        self.status = "succeeded"
        """How a refund stands when it is made: some ways to pay take days (`pending`)."""
        self.requests = 0
        self.paid: dict[str, int] = {}
        """What was paid by intent, in minor units; intents that are not here are taken to cover anything."""
        self.webhook_endpoints: list[dict[str, Any]] = []
        """The account's webhook endpoints, each with `url` and `enabled_events`."""
        self._key = key
        self._deliver = deliver
        self._answers: dict[str, dict[str, Any]] = {}
        self._deliveries: set[asyncio.Task[None]] = set()
        self.lists = StripeLists(key)
        """What happened at the provider, whether or not its webhook was delivered."""
        self._server = Server(port, Starlette(routes=[*self._routes(), *self.lists.routes()]))

    @property
    def url(self) -> str:
        return self._server.url

    async def __aenter__(self) -> Self:
        await self._server.__aenter__()
        return self

    async def __aexit__(self, *details: object) -> None:
        await self._server.__aexit__(*details)
        for task in self._deliveries:
            task.cancel()
        await asyncio.gather(*self._deliveries, return_exceptions=True)

    def _routes(self) -> list[Route]:
        return [
            Route("/v1/refunds", self._refund, methods=["POST"]),
            Route("/v1/refunds", self._list, methods=["GET"]),
            Route("/v1/webhook_endpoints", self._list_endpoints, methods=["GET"]),
        ]

    async def _refund(self, request: Request) -> Response:
        self.requests += 1
        if request.headers.get("authorization") != f"Bearer {self._key}":
            return _refused(401, "Invalid API Key provided.")
        return await self.faults.around(request, self._refund_once, _fault_response)

    async def _refund_once(self, request: Request) -> Response:
        key = request.headers.get("idempotency-key", "")
        if key in self._answers:
            return JSONResponse(self._answers[key])
        form = dict(parse_qsl((await request.body()).decode()))
        amount, intent = int(form["amount"]), form["payment_intent"]
        left = self.paid.get(intent, amount) - sum(
            refund["amount"] for refund in self.refunds.values() if refund["payment_intent"] == intent
        )
        if intent in self.paid and amount > left:
            return _refused(
                400, f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
            )
        made = {**refund_made(intent, amount, form), "status": self.status}
        self._answers[key] = self.refunds[made["id"]] = made
        self._deliver_later(made)
        return JSONResponse(made)

    async def _list(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {self._key}":
            return _refused(401, "Invalid API Key provided.")
        intent = request.query_params.get("payment_intent")
        limit = int(request.query_params.get("limit", "10"))
        after = request.query_params.get("starting_after")
        found = [refund for refund in reversed(self.refunds.values()) if refund["payment_intent"] == intent]
        if after is not None:
            found = found[[refund["id"] for refund in found].index(after) + 1 :]
        page = {"object": "list", "url": "/v1/refunds", "data": found[:limit], "has_more": len(found) > limit}
        return JSONResponse(page)

    async def _list_endpoints(self, request: Request) -> Response:
        return await self.faults.around(request, self._endpoints_page, _fault_response)

    async def _endpoints_page(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {self._key}":
            return _refused(401, "Invalid API Key provided.")
        listed = [{"object": "webhook_endpoint", **one} for one in self.webhook_endpoints]
        page = {"object": "list", "url": "/v1/webhook_endpoints", "data": listed, "has_more": False}
        return JSONResponse(page)

    def _deliver_later(self, made: dict[str, Any]) -> None:
        task = asyncio.create_task(self._deliver_all(made))
        self._deliveries.add(task)
        task.add_done_callback(self._deliveries.discard)

    async def _deliver_all(self, made: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):
            for body in refund_events(made):
                self.lists.happened(body)
                await self._deliver(body)


def refund_made(intent: str, amount: int, form: dict[str, str]) -> dict[str, Any]:
    """A refund object that was just made."""
    metadata = {name[9:-1]: value for name, value in form.items() if name.startswith("metadata[")}
    return {
        "id": f"re_{secrets.token_hex(12)}",
        "object": "refund",
        "amount": amount,
        "balance_transaction": f"txn_{secrets.token_hex(12)}",
        "charge": f"ch_{intent[3:]}",
        "created": int(time.time()),
        "currency": form.get("currency", "eur"),
        "metadata": metadata,
        "payment_intent": intent,
        "reason": form.get("reason"),
        "status": "succeeded",
    }


def refund_events(made: dict[str, Any]) -> list[bytes]:
    """The webhooks about a refund: its own two, and the charge's."""
    charge = {
        "id": made["charge"],
        "object": "charge",
        "amount_refunded": made["amount"],
        "currency": made["currency"],
        "payment_intent": made["payment_intent"],
    }
    events = (("refund.created", made), ("charge.refunded", charge), ("refund.updated", made))
    return [event_body(kind, resource) for kind, resource in events]


def event_body(kind: str, resource: dict[str, Any]) -> bytes:
    """Return an event about an object, as Stripe writes it."""
    event = {
        "id": f"evt_{secrets.token_hex(12)}",
        "object": "event",
        "api_version": API_VERSION,
        "created": int(time.time()),
        "data": {"object": resource},
        "livemode": False,
        "pending_webhooks": 1,
        "type": kind,
    }
    return json.dumps(event, indent=2).encode()


def _refused(status: int, message: str) -> Response:
    return JSONResponse({"error": {"type": "invalid_request_error", "message": message}}, status)


def _fault_response(status: int) -> Response:
    return _refused(status, "Something went wrong on the provider's end.")
