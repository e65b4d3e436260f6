"""Routes for an order's money beyond recording a payment: refunds, reversals, credits, payments given to an order; and
the lists of all ledger entries and of money that no order has.
"""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from fastapi.responses import JSONResponse, Response

from contracts.message import Reason
from services.orders.api.actions import store as api_store
from services.orders.api.actions.refund_requests import (
    ConfirmationRequest,
    CreditRequest,
    ReassignmentRequest,
    RefundRequest,
    ReversalRequest,
    SettlementRequest,
)
from services.orders.api.actions.refund_rules import faults_of_amount
from services.orders.api.actions.unmatched_store import faults_of_assigning
from services.orders.api.context import RequestContext
from services.orders.api.edges import COMMAND, Context, Key, OrderName, guarded_router
from services.orders.api.order_document import show
from services.orders.api.problems import described
from services.orders.listing import payments as payments_listing
from services.orders.listing.payments import EntriesPage, EntriesQuery, UnmatchedPayments
from services.orders.order.requests import OrderFacts

router = guarded_router()


@router.post("/orders/{order}/payments/{entry_id}/reversal", **COMMAND)
async def reverse_payment(
    order: OrderName, entry_id: UUID, request: ReversalRequest, key: Key, context: Context
) -> Response:
    """Reverse a payment entered by hand, in full: the cheque bounced, or it was a mistake."""
    facts, actor = await context.order(order), context.caller.actor
    return await context.send(key, facts, [], lambda _: request.command(facts, actor, entry_id))


@router.post("/orders/{order}/reassignments", **COMMAND)
async def reassign_payment(
    order: OrderName, request: ReassignmentRequest, key: Key, context: Context
) -> Response:
    """Assign a payment to the order: an unmatched one, or one of another order."""
    facts, actor = await context.order(order), context.caller.actor
    faults: list[Reason] = []
    if request.provider and request.provider_reference:
        payment = (request.provider, request.provider_reference)
        async with context.hub.acquire() as connection:
            faults = await faults_of_assigning(connection, facts.shop, payment)
    return await context.send(key, facts, faults, lambda _: request.command(facts, actor))


@router.post("/orders/{order}/credits", **COMMAND)
async def grant_credit(order: OrderName, request: CreditRequest, key: Key, context: Context) -> Response:
    """Grant a credit: the customer owes less, and no money moves."""
    facts, actor = await context.order(order), context.caller.actor
    return await context.send(key, facts, request.faults(facts), lambda _: request.command(facts, actor))


@router.post("/orders/{order}/refunds", **COMMAND)
async def refund_order(order: OrderName, request: RefundRequest, key: Key, context: Context) -> Response:
    """Refund money: `recorded` here only, or `sent` to the payment's provider."""
    facts, actor = await context.order(order), context.caller.actor
    faults = request.faults(facts) or await _against_units(context, key, facts, request)
    return await context.send(
        key, facts, faults, lambda command_id: request.command(facts, actor, command_id)
    )


async def _against_units(
    context: RequestContext, key: str, facts: OrderFacts, request: RefundRequest
) -> list[Reason]:
    """Return the reasons why amount and units do not agree; a repeat was checked when it was first sent."""
    if not request.lines:
        return []
    async with context.hub.acquire() as connection:
        if await api_store.was_sent(connection, facts.shop, key):
            return []
        row = await api_store.read_order_whole(connection, facts.shop, facts.order_id, None)
        if row is None:
            return []
        order = show(row, await context.labels(connection))
    return faults_of_amount(order, request.amount_minor, request.units, request.cause)


@router.post("/orders/{order}/refunds/{refund_id}/confirmation", **COMMAND)
async def confirm_refund(
    order: OrderName, refund_id: UUID, request: ConfirmationRequest, key: Key, context: Context
) -> Response:
    """Confirm a recorded refund with the reference under which it was made."""
    facts, actor = await context.order(order), context.caller.actor
    return await context.send(key, facts, [], lambda _: request.command(facts, actor, refund_id))


@router.post("/orders/{order}/refunds/{refund_id}/settlement", **COMMAND)
async def settle_refund(
    order: OrderName, refund_id: UUID, request: SettlementRequest, key: Key, context: Context
) -> Response:
    """Settle an uncertain refund: request it again under the same key, or record whether the provider made it."""
    facts, actor = await context.order(order), context.caller.actor
    return await context.send(key, facts, [], lambda _: request.command(facts, actor, refund_id))


@router.get("/payments", tags=["payments"], response_model=EntriesPage, responses=described(400))
async def list_payments(query: Annotated[EntriesQuery, Query()], context: Context) -> Response:
    """List the shop's ledger entries, filtered, latest first; one page at a time."""
    zone = context.settings.zone_of(context.caller.shop)
    async with context.hub.acquire() as connection:
        return JSONResponse(await payments_listing.read_entries(connection, context.caller.shop, query, zone))


@router.get("/payments/unmatched", tags=["payments"], response_model=UnmatchedPayments)
async def list_unmatched_payments(context: Context) -> Response:
    """List unmatched money («À identifier»)."""
    async with context.hub.acquire() as connection:
        return JSONResponse(await payments_listing.read_unmatched(connection, context.caller.shop))
