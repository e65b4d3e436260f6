"""Commands to payments and fulfillment from the order page: payments, invoices, parcels, shipments.

Every form becomes a command, once; the page waits for its outcome and never shows money or goods before their
owner confirmed them. A form made from an older state of the order is rejected (`facts.require_fresh`).
"""

from typing import Any

from starlette.responses import Response

from contracts.fulfillment.parcels import UnpackParcel
from contracts.payments.invoices import ReissueInvoice
from services.orders.api.actions.action import Action
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.formatting import amount
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.order import days
from services.orders.backoffice.order.facts import (
    FormFacts,
    page_of,
    read_facts,
    read_fresh_facts,
    read_shipment,
    read_shipping,
)
from services.orders.backoffice.order.form_requests import (
    correction_request,
    delivery_request,
    id_typed,
    is_far_above_due,
    parcel_requests,
    payment_request,
    shipment_request,
)
from services.orders.backoffice.order.showing import again
from services.orders.backoffice.web.actions.action import carry_out, command, was_sent
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.order.requests import (
    LossRequest,
    ParcelRequest,
    PaymentRequest,
    ShipmentCancellationRequest,
)

pages = Pages()


@pages.post(
    "/orders/{order}/payment", Permission.PAYMENTS_RECORD, action="payment.record", again=again("payment")
)
async def record_payment(context: PageContext) -> Response:
    """Record a cheque, a transfer or cash by the method the customer chose."""
    order = await read_fresh_facts(context)
    return await _record(context, order, order.payment_method)


@pages.post(
    "/orders/{order}/other-payment",
    Permission.PAYMENTS_RECORD,
    action="payment.record_other",
    again=again("other-payment"),
)
async def record_other_payment(context: PageContext) -> Response:
    """Record a payment by another method, which the form's `method` names."""
    order = await read_fresh_facts(context)
    return await _record(context, order, context.form_read["method"])


async def _record(context: PageContext, order: FormFacts, method: str | None) -> Response:
    request = payment_request(order.facts.currency, context.form_read, method)
    await _require_likely(context, order, request)
    payment = command(context, order.id, lambda _: request.command(order.facts, context.actor))
    to = page_of(context, order.code, "payment")
    return await carry_out(context, payment, to=to, flash=gettext("Payment recorded."))


async def _require_likely(context: PageContext, order: FormFacts, request: PaymentRequest) -> None:
    """Check that an amount far above the amount due was confirmed. Raises Invalid."""
    if context.form_read.ticked("meant") or not is_far_above_due(order.balance_minor, request.amount_minor):
        return
    if not await was_sent(context):
        text = gettext(
            "%(balance)s is still to be paid. Correct the amount, or tick below that it was received.",
            balance=amount(max(0, order.balance_minor), order.facts.currency),
        )
        raise Invalid(amount=text, meant=text)


@pages.post("/orders/{order}/parcels", Permission.PARCELS_PACK, action="parcel.pack", again=again("parcel"))
async def pack(context: PageContext) -> Response:
    """Pack one parcel of everything, one of chosen quantities, or one per unit."""
    order = await read_fresh_facts(context)

    def parcel(request: ParcelRequest, part: str) -> Action:
        return command(
            context,
            order.id,
            lambda command_id: request.command(order.facts, context.actor, command_id),
            part,
        )

    requests = parcel_requests(order.facts.currency, context.form_read)
    parcels = [parcel(request, f"-{number}" if number else "") for number, request in enumerate(requests)]
    to = page_of(context, order.code, "parcels")
    return await carry_out(context, parcels, to=to, flash=gettext("Packing recorded."))


@pages.post(
    "/orders/{order}/unpacking", Permission.PARCELS_PACK, action="parcel.unpack", again=again("unpack")
)
async def unpack(context: PageContext) -> Response:
    """Unpack a parcel that has not been shipped."""
    order = await read_fresh_facts(context)
    about = {"shop": context.shop, "order_id": order.id, "parcel_id": id_typed(context.form_read, "parcel")}
    unpacking = command(context, order.id, lambda _: UnpackParcel(**about, actor=context.actor))
    to = page_of(context, order.code, "parcels")
    return await carry_out(context, unpacking, to=to, flash=gettext("Parcel unpacked."))


@pages.post(
    "/orders/{order}/shipments", Permission.PARCELS_SHIP, action="shipment.dispatch", again=again("shipment")
)
async def ship(context: PageContext) -> Response:
    """Ship the ticked parcels with a carrier."""
    order, form = await read_fresh_facts(context), context.form_read
    request = shipment_request(await read_shipping(context, order), form)
    await days.require_days(context, days.of_shipping(context, form))
    shipment = command(
        context, order.id, lambda command_id: request.command(order.facts, context.actor, command_id)
    )
    to = page_of(context, order.code, "shipments")
    return await carry_out(context, shipment, to=to, flash=gettext("Shipment recorded."))


@pages.post(
    "/orders/{order}/correction", Permission.PARCELS_SHIP, action="shipment.update", again=again("correction")
)
async def correct_shipment(context: PageContext) -> Response:
    """Correct a shipment that left, informing its customer only if that is ticked."""
    order, form = await read_fresh_facts(context), context.form_read
    shipment = await read_shipment(context, order)
    request = correction_request(await read_shipping(context, order), shipment, form)
    await days.require_days(context, days.of_correction(context, shipment.days, form))
    correction = command(
        context, order.id, lambda _: request.command(order.facts, context.actor, shipment.shipment_id)
    )
    to = page_of(context, order.code, "shipments")
    return await carry_out(context, correction, to=to, flash=gettext("Tracking corrected."))


@pages.post(
    "/orders/{order}/withdrawal", Permission.PARCELS_SHIP, action="shipment.cancel", again=again("withdrawal")
)
async def cancel_shipment(context: PageContext) -> Response:
    """Cancel a shipment that had not left; its parcels are packed again."""
    order, form = await read_fresh_facts(context), context.form_read
    request, shipment = (
        form.model(ShipmentCancellationRequest, **_notification(form)),
        id_typed(form, "shipment"),
    )
    cancellation = command(context, order.id, lambda _: request.command(order.facts, context.actor, shipment))
    to = page_of(context, order.code, "shipments")
    return await carry_out(context, cancellation, to=to, flash=gettext("Shipment cancelled."))


@pages.post("/orders/{order}/loss", Permission.PARCELS_SHIP, action="parcel.report_lost", again=again("loss"))
async def report_loss(context: PageContext) -> Response:
    """Report a parcel in transit as lost; its units are to be packed again or refunded."""
    order, form = await read_fresh_facts(context), context.form_read
    request, parcel = form.model(LossRequest, **_notification(form)), id_typed(form, "parcel")
    loss = command(context, order.id, lambda _: request.command(order.facts, context.actor, parcel))
    to = page_of(context, order.code, "parcels")
    return await carry_out(context, loss, to=to, flash=gettext("Parcel reported lost."))


@pages.post(
    "/orders/{order}/deliveries", Permission.PARCELS_SHIP, action="delivery.record", again=again("delivery")
)
async def record_delivery(context: PageContext) -> Response:
    """Record that a shipment was delivered, and the evidence."""
    order, form = await read_fresh_facts(context), context.form_read
    request, shipment = delivery_request(form, context.locale.zone), await read_shipment(context, order)
    await days.require_days(context, days.of_delivery(context, shipment.days, form))
    delivery = command(
        context, order.id, lambda _: request.command(order.facts, context.actor, shipment.shipment_id)
    )
    to = page_of(context, order.code, "shipments")
    return await carry_out(context, delivery, to=to, flash=gettext("Delivery recorded."))


def _notification(form: Form) -> dict[str, Any]:
    return {"reason": form.text("reason", 2000), "notify_customer": form.ticked("notify_customer")}


@pages.post(
    "/orders/{order}/invoice", Permission.PAYMENTS_RECORD, action="invoice.reissue", again=again("invoice")
)
async def reissue(context: PageContext) -> Response:
    """Request the order's invoice from payments."""
    order, form = await read_facts(context), context.form_read
    reason = form.text("reason", longest=2000)
    if reason is None:
        raise Invalid(reason=gettext("This field is required."))
    wish = command(
        context,
        order.id,
        lambda _: ReissueInvoice(shop=context.shop, order_id=order.id, reason=reason, actor=context.actor),
    )
    return await carry_out(
        context, wish, to=f"/orders/{order.code}#invoices", flash=gettext("Invoice issued.")
    )
