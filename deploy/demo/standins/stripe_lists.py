"""The provider's lists as far as Comptoir reads them: events, balance transactions and payouts of one account.

They hold whatever happened, whether or not its webhook was delivered. Written from Stripe's reference and apart from
the service's client: newest first, filtered by creation time and type, cut into pages by `starting_after` or
`ending_before`.
"""

import json
import secrets
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Resource = dict[str, Any]
FEE_PER_THOUSAND = 14


class StripeLists:
    """What one account's lists show. `happened` is told every event, in the sequence in which they happen."""

    def __init__(self, key: str) -> None:
        self.events: list[Resource] = []
        self.transactions: list[Resource] = []
        self.payouts: list[Resource] = []
        self._key = key

    def routes(self) -> list[Route]:
        """Return the routes of the lists."""
        return [
            Route("/v1/events", self._list_events),
            Route("/v1/balance_transactions", self._list_transactions),
            Route("/v1/payouts", self._list_payouts),
        ]

    def happened(self, body: bytes) -> None:
        """Add an event, and the money that it moved."""
        event = json.loads(body)
        if any(known["id"] == event["id"] for known in self.events):
            return
        self.events.append(event)
        resource = event["data"]["object"]
        if event["type"] == "payment_intent.succeeded":
            self._move(
                "charge",
                resource["amount_received"],
                resource["currency"],
                event["created"],
                _charge(resource),
            )
        elif event["type"] == "refund.created":
            self._move("refund", -resource["amount"], resource["currency"], event["created"], resource)
        elif resource["object"] == "dispute":
            known = {one["id"] for one in self.transactions}
            moved = [one for one in resource.get("balance_transactions", ()) if one["id"] not in known]
            self.transactions += [_transaction("adjustment", one, resource) for one in moved]

    def pay_out(self) -> Resource:
        """Pay out all money that was not paid out yet, and return the payout."""
        waiting = [one for one in self.transactions if one["payout"] is None]
        payout = {
            "id": f"po_{secrets.token_hex(12)}",
            "object": "payout",
            "amount": sum(one["net"] for one in waiting),
            "arrival_date": int(time.time()) + 86400,
            "automatic": True,
            "created": int(time.time()),
            "currency": "eur",
            "status": "paid",
        }
        for one in waiting:
            one["payout"] = payout["id"]
        self.payouts.append(payout)
        return payout

    def _move(self, kind: str, amount: int, currency: str, created: int, source: Resource) -> None:
        fee = max(0, amount) * FEE_PER_THOUSAND // 1000
        moved = {"id": f"txn_{secrets.token_hex(12)}", "amount": amount, "fee": fee, "currency": currency}
        self.transactions.append(_transaction(kind, {**moved, "created": created}, source))

    async def _list_events(self, request: Request) -> Response:
        types = request.query_params.getlist("types[]")
        return self._page(request, [one for one in self.events if not types or one["type"] in types])

    async def _list_transactions(self, request: Request) -> Response:
        payout = request.query_params.get("payout")
        found = [one for one in self.transactions if payout in (None, one["payout"])]
        if request.query_params.get("expand[]") != "data.source":
            found = [{**one, "source": one["source"]["id"]} for one in found]
        return self._page(request, found)

    async def _list_payouts(self, request: Request) -> Response:
        return self._page(request, self.payouts)

    def _page(self, request: Request, resources: list[Resource]) -> Response:
        query = request.query_params
        if request.headers.get("authorization") != f"Bearer {self._key}":
            return JSONResponse({"error": {"message": "Invalid API Key provided."}}, 401)
        since, until = int(query.get("created[gte]", "0")), int(query.get("created[lt]", str(2**33)))
        listed = sorted(
            (one for one in reversed(resources) if since <= one["created"] < until),
            key=lambda one: -int(one["created"]),
        )
        limit, names = int(query.get("limit", "10")), [one["id"] for one in listed]
        if (after := query.get("starting_after")) is not None:
            listed = listed[names.index(after) + 1 :]
        if (before := query.get("ending_before")) is not None:
            listed = listed[: names.index(before)][-limit:]
        more = len(listed) > limit
        return JSONResponse({"object": "list", "data": listed[:limit], "has_more": more})


def _charge(intent: Resource) -> Resource:
    return {
        "id": intent.get("latest_charge") or f"ch_{intent['id'][3:]}",
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount_received"],
        "currency": intent["currency"],
        "payment_intent": intent["id"],
    }


def _transaction(kind: str, moved: Resource, source: Resource) -> Resource:
    return {
        **moved,
        "object": "balance_transaction",
        "net": moved["amount"] - moved["fee"],
        "payout": None,
        "source": source,
        "type": kind,
    }
