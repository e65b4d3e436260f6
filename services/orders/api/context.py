"""The context of one REST API request: the caller, the order it names, and the answer to a command."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from contracts.catalogue import type_of
from contracts.fulfillment.parcels import ParcelPacked
from contracts.fulfillment.shipments import DeliveryRecorded, ShipmentDispatched
from contracts.message import Command, Reason
from contracts.payments.accounts import PaymentReassigned, PaymentReversed, PaymentSettled
from contracts.payments.invoices import InvoiceIssued
from contracts.payments.refunds import CreditGranted, RefundConfirmed, RefundMarked, RefundSent
from contracts.sale import Module
from services.chassis.http.problems import Problem
from services.chassis.runtime.hub import Hub
from services.chassis.storage.database import Connection
from services.orders.api.access import Caller, caller_of
from services.orders.api.actions import store as api_store
from services.orders.api.actions.action import Act, Action, Actions, KeyTaken, command, own_action
from services.orders.api.actions.order_facts import FactsReader
from services.orders.api.owners.clients import ServiceClients
from services.orders.changes.changing import ChangeRefused
from services.orders.changes.previewing import Preview
from services.orders.listing.documents import SubmissionResponse
from services.orders.listing.finder import rows
from services.orders.listing.finder.finder import Finder
from services.orders.listing.orders import ListQuery, page_document, utc_text
from services.orders.order.history import Stale
from services.orders.order.refusal import Refusal
from services.orders.order.requests import OrderFacts
from services.orders.order.settings import OrdersSettings
from services.orders.order.shipment_days import ShipmentDays, read_days
from services.orders.order.short_code import read_code
from services.orders.order.state import Stage
from services.orders.staff.labels import Labels, labels_of

RETRY_SECONDS = 1
CREATING = {
    type_of(PaymentSettled, "payments"),
    type_of(PaymentReversed, "payments"),
    type_of(PaymentReassigned, "payments"),
    type_of(CreditGranted, "payments"),
    type_of(RefundMarked, "payments"),
    type_of(RefundSent, "payments"),
    type_of(RefundConfirmed, "payments"),
    type_of(InvoiceIssued, "payments"),
    type_of(ParcelPacked, "fulfillment"),
    type_of(ShipmentDispatched, "fulfillment"),
    type_of(DeliveryRecorded, "fulfillment"),
}
"""Types of outcomes that create something new: HTTP 201."""


class RequestContext:
    """Context of one caller's request; limited to the shop of the caller's token."""

    def __init__(self, request: Request) -> None:
        self.hub: Hub = request.app.state.hub
        self.actions: Actions = request.app.state.actions
        self.facts: FactsReader = request.app.state.facts
        self.finder: Finder = request.app.state.finder
        self.clients: ServiceClients = request.app.state.clients
        self.caller: Caller = caller_of(request)

    @property
    def settings(self) -> OrdersSettings:
        """Return the service's settings."""
        assert isinstance(self.hub.settings, OrdersSettings)
        return self.hub.settings

    @property
    def zone(self) -> ZoneInfo:
        """Return the time zone in which the caller's shop counts its days."""
        return self.settings.zone_of(self.caller.shop)

    @property
    def today(self) -> date:
        """Return the current day in the shop's time zone."""
        return datetime.now(self.zone).date()

    async def days_of(self, key: str, order: OrderFacts, shipment_id: UUID) -> ShipmentDays | None:
        """Return the days that a shipment request is checked against; None for an unknown shipment and for a
        repeat.
        """
        async with self.hub.acquire() as connection:
            if await api_store.was_sent(connection, order.shop, key):
                return None
            return await read_days(connection, order.shop, order.order_id, shipment_id, self.zone)

    async def labels(self, connection: Connection) -> Labels:
        """Return the shop's statuses."""
        return await labels_of.get(connection, self.hub.owner, self.caller.shop)

    async def listed(self, query: ListQuery) -> dict[str, Any]:
        """Return a page of the shop's orders. Raises CursorInvalid."""
        shop, zone = self.caller.shop, self.settings.zone_of(self.caller.shop)
        async with self.hub.acquire() as connection:
            page = await self.finder.page(
                connection, shop, query, zone, limit=query.limit, after=query.after, before=query.before
            )
            listed = await rows.read_listed(connection, shop, page.order_ids)
            labels = await self.labels(connection)
        return page_document(page, listed, labels)

    async def order(self, name: str) -> OrderFacts:
        """Return the placed order with this id or code. Raises the 404 problem, or the 409 one for a
        checkout.
        """
        row = await self.facts.find(self.caller.shop, *order_named(name))
        if row is None:
            raise order_unknown()
        if row["stage"] != Stage.PLACED:
            raise order_not_placed(row["code"])
        lines = frozenset(row["lines"])
        return OrderFacts(self.caller.shop, row["order_id"], row["code"], row["currency"], lines)

    async def named(self, name: str) -> tuple[str, UUID, str]:
        """Return shop and id of the placed order with this id or code, and the caller. Raises as `order`
        does.
        """
        facts = await self.order(name)
        return facts.shop, facts.order_id, self.caller.actor

    async def submission(self, module: Module, key: str) -> SubmissionResponse:
        """Return the result of a submission. Raises the 404 problem."""
        async with self.hub.acquire() as connection:
            row = await api_store.read_submission(connection, self.caller.shop, module, key)
        if row is None or "\0" in key:
            raise Problem(
                404, "submission_unknown", "No submission with this module and key has arrived yet."
            )
        return submission_shown(module, key, row)

    async def command(self, command_id: UUID) -> api_store.Row:
        """Return a command of the shop. Raises the 404 problem."""
        row = await self.actions.find(self.caller.shop, command_id)
        if row is None:
            raise Problem(404, "command_unknown", "The shop of this token sent no such command.")
        return row

    async def send(
        self, key: str, order: OrderFacts | None, faults: Sequence[Reason], message: Callable[[UUID], Command]
    ) -> JSONResponse:
        """Send a command and answer with its outcome. `message` receives an id for what the command creates."""
        if faults:
            raise Problem(
                422, "request_impossible", "Nothing was sent; correct what errors names.", errors=faults
            )
        order_id = order.order_id if order else None
        return await self.carry_out(command(self.caller.shop, order_id, key, message))

    async def act(
        self, key: str, order_id: UUID | None, type: str, request: BaseModel, act: Act
    ) -> JSONResponse:
        """Perform an action of this service and answer with its outcome."""
        shop, actor = self.caller.shop, self.caller.actor
        return await self.carry_out(
            own_action(shop, order_id, key, type, actor, request.model_dump_json(), act)
        )

    async def carry_out(self, action: Action) -> JSONResponse:
        """Perform an action, once per key, and answer with its outcome."""
        try:
            return answer(await self.actions.carry_out(action))
        except KeyTaken as taken:
            raise _key_taken(taken) from None
        except Refusal as refused:
            raise _refused(refused) from None

    async def preview(self, look: Awaitable[Preview]) -> JSONResponse:
        """Return the effect a change would have."""
        try:
            return JSONResponse(preview_document(await look))
        except Refusal as refused:
            raise _refused(refused) from None


def order_named(name: str) -> tuple[UUID | None, str | None]:
    """Return the id or code in the text. Codes are read as people write them: `k7f3 qd9m`."""
    try:
        return UUID(name), None
    except ValueError:
        return None, read_code(name)


def order_unknown() -> Problem:
    """Return the problem for an order that does not exist in the caller's shop."""
    return Problem(
        404, "order_unknown", "The shop of this token has no such order; give its id or its code (K7F3-QD9M)."
    )


def order_not_placed(code: str) -> Problem:
    """Return the problem for a request that needs an order and names a checkout."""
    return Problem(
        409,
        "order_not_placed",
        f"Order {code} is a checkout that was not placed; it can be worked on when it is.",
    )


def submission_shown(module: Module, key: str, row: api_store.Row) -> SubmissionResponse:
    """Return the first answer a submission got."""
    return SubmissionResponse(
        module=module,
        idempotency_key=key,
        answer="refused" if row["order_id"] is None else "placed",
        submission_id=row["submission_id"],
        order_id=row["order_id"],
        code=row["code"],
        reasons=json.loads(row["reasons"] or "[]"),
    )


def command_document(row: api_store.Row) -> dict[str, Any]:
    """Return a command's row as `CommandResponse`."""
    return {
        "command_id": str(row["command_id"]),
        "type": row["type"],
        "order_id": str(row["order_id"]) if row["order_id"] else None,
        "actor": row["actor"],
        "state": row["state"],
        "requested_at": utc_text(row["requested_at"]),
        "settled_at": utc_text(row["settled_at"]) if row["settled_at"] else None,
        "outcome": json.loads(row["outcome"]) if row["outcome"] else None,
    }


def preview_document(preview: Preview) -> dict[str, Any]:
    """Return a preview as `PreviewResponse`."""
    return {
        "revision": preview.revision,
        "totals_before": preview.totals_before.model_dump(),
        "totals": preview.totals.model_dump(),
        "due_change_minor": preview.due_change_minor,
        "balance_minor": preview.balance_minor,
        "balance_after_minor": preview.balance_after_minor,
        "stop": _listed(preview.stop),
        "stays": _listed(preview.stays),
        "add": _listed(preview.add),
        "parcels": [{"parcel_id": str(one.parcel_id), "number": one.number} for one in preview.parcels],
        "reasons": [reason.model_dump(exclude_none=True) for reason in preview.reasons],
    }


def _listed(units: Mapping[int, int]) -> list[dict[str, int]]:
    return [{"line": line, "quantity": quantity} for line, quantity in sorted(units.items())]


def answer(row: api_store.Row) -> JSONResponse:
    """Return 201 or 200 with the outcome, 202 while there is none (or staff must look), the 422 problem if
    rejected.
    """
    document = command_document(row)
    if row["state"] == "rejected":
        raise _rejected(document)
    location = {"Location": f"/v1/commands/{document['command_id']}"}
    if row["state"] == "pending":
        return JSONResponse(document, 202, {**location, "Retry-After": str(RETRY_SECONDS)})
    if row["state"] == "parked":
        return JSONResponse(document, 202, location)
    return JSONResponse(document, 201 if document["outcome"]["type"] in CREATING else 200, location)


def _key_taken(taken: KeyTaken) -> Problem:
    return Problem(409, "idempotency_conflict", str(taken), command_id=str(taken.command_id))


def _refused(refused: Refusal) -> Problem:
    if isinstance(refused, ChangeRefused):
        return Problem(refused.status, refused.code, str(refused), errors=refused.reasons)
    since = refused.since if isinstance(refused, Stale) else ()
    reasons = [
        Reason(code=one.kind, message=f"{one.kind} at {utc_text(one.at)} by {one.actor or 'a fact'}"[:1000])
        for one in since
    ]
    return Problem(refused.status, refused.code, str(refused), errors=reasons)


def _rejected(document: dict[str, Any]) -> Problem:
    return Problem(
        422,
        "command_rejected",
        "The owning service rejected the command; nothing changed. errors lists every reason.",
        errors=[Reason.model_validate(reason) for reason in document["outcome"]["reasons"]],
        command_id=document["command_id"],
    )
