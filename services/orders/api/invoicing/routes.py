"""Routes for invoices: issue an order's invoice, read and change a shop's invoicing settings. Payments does it all."""

from fastapi.responses import Response

from services.orders.api.edges import COMMAND, Context, Key, OrderName, guarded_router
from services.orders.api.invoicing.reading import InvoicingResponse, read_invoicing
from services.orders.api.invoicing.requests import InvoiceRequest, InvoicingRequest

router = guarded_router()


@router.post("/orders/{order}/invoices", **COMMAND)
async def issue_invoice(order: OrderName, request: InvoiceRequest, key: Key, context: Context) -> Response:
    """Issue the order's invoice now. One that exists is taken back by a credit note and issued again."""
    facts, actor = await context.order(order), context.caller.actor
    return await context.send(key, facts, [], lambda _: request.command(facts, actor))


@router.get("/invoicing", tags=["settings"], response_model=InvoicingResponse)
async def show_invoicing(context: Context) -> InvoicingResponse:
    """Return the shop's invoicing settings with their version, which a change must name, and the missing mentions.

    503 `payments_unavailable`: payments owns the settings and does not answer. 409 `settings_unreadable`: it can't read
    them, since a newer version stored them.
    """
    return await read_invoicing(context)


@router.post("/invoicing", **COMMAND)
async def change_invoicing(request: InvoicingRequest, key: Key, context: Context) -> Response:
    """Replace the shop's invoicing settings. The outcome names the compulsory mentions that are still missing.

    Send the `version` that `GET /v1/invoicing` returned. Another one than the current one is rejected
    (`version_differs`): read the settings again and repeat the change.
    """
    caller = context.caller
    return await context.send(key, None, [], lambda _: request.command(caller.shop, caller.actor))
