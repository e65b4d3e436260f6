"""The merchant's side: counts stock, takes in money, packs, hands parcels to carriers, records what
arrived.

All of it through the REST API of orders, with one bearer token and an `Idempotency-Key` on everything that
changes something, so that a request whose answer was lost can be sent again.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import UUID, uuid5

import httpx2

from contracts.envelope import uuid7
from contracts.fulfillment.shipments import ProofKind
from contracts.fulfillment.stock import StockLevel
from contracts.payments.refunds import RefundMode
from deploy.demo.sales.sale import Dispatch, Receipt, Sale

LEVELS_AT_ONCE = 500
ORDERS_AT_ONCE = 8
OUTCOME_SECONDS = 30.0
POLL_SECONDS = 0.1
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 2.0
PAGE = 200


class CommandRefused(Exception):
    """Comptoir refused what the demo expected to work."""

    def __init__(self, path: str, status: int, problem: str) -> None:
        super().__init__(f"POST {path} was answered {status}: {problem}")
        self.path, self.status = path, status


class NoOutcome(Exception):
    """A command or an order did not get where it must in time."""


class MerchantDesk:
    """Works on one shop's orders. `done` counts what was done, by kind."""

    def __init__(self, api_url: str, token: str) -> None:
        self._http = httpx2.AsyncClient(
            base_url=api_url, headers={"Authorization": f"Bearer {token}"}, timeout=15, trust_env=False
        )
        self._hands = asyncio.Semaphore(ORDERS_AT_ONCE)
        self.done: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def set_stock(self, levels: Sequence[StockLevel]) -> None:
        """Set what is on hand, some hundred SKUs a request."""
        for start in range(0, len(levels), LEVELS_AT_ONCE):
            chunk = levels[start : start + LEVELS_AT_ONCE]
            content = {"levels": [{"sku": level.sku, "on_hand": level.on_hand} for level in chunk]}
            await self._command("/v1/stock", content, f"count-{uuid7()}")
            self.done["SKUs counted"] += len(chunk)

    async def work_on(self, sale: Sale) -> None:
        """Let a placed order's story happen. Raises CommandRefused, NoOutcome."""
        async with self._hands:
            order = f"/v1/orders/{sale.event_id}"
            for number, receipt in enumerate(sale.story.receipts):
                await self._receive(order, receipt, sale.submission.currency, number)
            if sale.story.parcels:
                await self._ship(order, sale)
            if sale.story.refund is not None:
                amount, mode = sale.story.refund.amount_minor, sale.story.refund.mode
                await self.refund(sale.event_id, amount, sale.submission.currency, mode=mode)

    async def _ship(self, order: str, sale: Sale) -> None:
        """Pack and send what the story packs and sends."""
        await self._until_ready(order)
        parcels = [await self._pack(order, sale, number) for number in range(len(sale.story.parcels))]
        for number, dispatch in enumerate(sale.story.dispatches):
            await self._send(order, sale, dispatch, [parcels[each] for each in dispatch.parcels], number)

    async def refund(
        self,
        order_id: UUID,
        amount_minor: int,
        currency: str,
        *,
        mode: RefundMode = RefundMode.RECORDED,
    ) -> None:
        """Give money back: write down that it was (`recorded`), or have the provider send it (`sent`).

        Raises CommandRefused, NoOutcome.
        """
        content = {"mode": mode, "amount_minor": amount_minor, "currency": currency}
        await self._command(f"/v1/orders/{order_id}/refunds", content, f"{order_id}-refund")
        self.done[f"refunds {mode}"] += 1

    async def orders(self, **filters: Sequence[str]) -> list[dict[str, Any]]:
        """All placed orders of the shop, or those of some states, newest first, page by page."""
        return await self._pages("orders", filters)

    async def entries(self, *kinds: str) -> list[dict[str, Any]]:
        """All ledger entries of some kinds, latest first."""
        return await self._pages("payments", {"kind": kinds}, "entries")

    async def order(self, order_id: UUID) -> dict[str, Any]:
        """One order with all its parts."""
        return await self._read(f"/v1/orders/{order_id}")

    async def _receive(self, order: str, receipt: Receipt, currency: str, number: int) -> None:
        content = {
            "method": receipt.method,
            "amount_minor": receipt.amount_minor,
            "currency": currency,
            "reference": receipt.reference,
            "received_on": _today(),
        }
        await self._command(f"{order}/payments", content, f"{order}-receipt-{number}")
        self.done["payments recorded"] += 1

    async def _pack(self, order: str, sale: Sale, number: int) -> str:
        parcel_id = str(uuid5(sale.event_id, f"parcel {number}"))
        lines = sale.story.parcels[number]
        content = {
            "parcel_id": parcel_id,
            "lines": [{"line": line.line, "quantity": line.quantity} for line in lines],
            "kind": "box",
            "weight_grams": 80 + 210 * sum(line.quantity for line in lines),
        }
        await self._command(f"{order}/parcels", content, f"{order}-parcel-{number}")
        self.done["parcels packed"] += 1
        return parcel_id

    async def _send(
        self, order: str, sale: Sale, dispatch: Dispatch, parcels: list[str], number: int
    ) -> None:
        shipment_id = str(uuid5(sale.event_id, f"shipment {number}"))
        content = {
            "shipment_id": shipment_id,
            "parcel_ids": parcels,
            "carrier": dispatch.carrier,
            "tracking_number": dispatch.tracking_number,
            "tracking_url": dispatch.tracking_url,
            "shipped_on": _today(),
            "expected_on": _today(days=2),
            "notify_customer": dispatch.notify_customer,
        }
        await self._command(f"{order}/shipments", content, f"{order}-shipment-{number}")
        self.done["shipments dispatched"] += 1
        if dispatch.is_delivered:
            await self._deliver(f"{order}/shipments/{shipment_id}/delivery", dispatch)

    async def _deliver(self, path: str, dispatch: Dispatch) -> None:
        content = {
            "delivered_at": datetime.now(UTC).isoformat(),
            "proof": ProofKind.CARRIER_SCAN,
            "proof_reference": dispatch.tracking_number,
        }
        await self._command(path, content, path)
        self.done["deliveries recorded"] += 1

    async def _until_ready(self, order: str) -> None:
        """A merchant packs what may be prepared: wait until the order says so."""
        deadline = _deadline()
        while (found := await self._read(order))["state"] == "awaiting_payment":
            if _now() > deadline:
                raise NoOutcome(f"{order} still is {found['state']} after {OUTCOME_SECONDS:.0f} s")
            await asyncio.sleep(POLL_SECONDS)

    async def _command(self, path: str, content: dict[str, Any], key: str) -> None:
        """Send a command and return once its owner has carried it out."""
        answer = await self._post(path, content, key)
        if answer.status_code == httpx2.codes.ACCEPTED:
            await self._outcome(path, answer.headers["Location"])
        elif not answer.is_success:
            raise CommandRefused(path, answer.status_code, answer.text[:500])

    async def _post(self, path: str, content: dict[str, Any], key: str) -> httpx2.Response:
        headers = {"Idempotency-Key": key.replace("/", "-")}
        return await self._patiently(lambda: self._http.post(path, json=content, headers=headers))

    async def _patiently(self, send: Callable[[], Awaitable[httpx2.Response]]) -> httpx2.Response:
        """Send the same request again while the service is unavailable; the key makes that safe. After half a
        minute the last answer, or the last error.
        """
        deadline, pause = _deadline(), FIRST_PAUSE_SECONDS
        while True:
            late = _now() > deadline
            try:
                answer = await send()
                if not answer.is_server_error or late:
                    return answer
            except httpx2.TransportError:
                if late:
                    raise
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _outcome(self, path: str, location: str) -> None:
        deadline = _deadline()
        while (command := await self._read(location))["state"] in ("pending", "parked"):
            if _now() > deadline:
                raise NoOutcome(
                    f"POST {path} is {command['state']} at {location} after {OUTCOME_SECONDS:.0f} s"
                )
            await asyncio.sleep(POLL_SECONDS)
        if command["state"] == "rejected":
            raise CommandRefused(path, httpx2.codes.UNPROCESSABLE_ENTITY, str(command)[:500])

    async def _pages(
        self, what: str, filters: Mapping[str, Sequence[str]], inside: str = ""
    ) -> list[dict[str, Any]]:
        """Everything in a list of the REST API, page by page."""
        found: list[dict[str, Any]] = []
        after: str | None = None
        while True:
            more = {"after": after} if after else {}
            page = await self._read(f"/v1/{what}", {"limit": PAGE, **filters, **more})
            found += page[inside or what]
            after = page["next"]
            if after is None:
                return found

    async def _read(self, path: str, query: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = await self._patiently(lambda: self._http.get(path, params=query or {}))
        answer.raise_for_status()
        content: dict[str, Any] = answer.json()
        return content


def _now() -> float:
    return asyncio.get_running_loop().time()


def _deadline() -> float:
    return _now() + OUTCOME_SECONDS


def _today(days: int = 0) -> str:
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()
