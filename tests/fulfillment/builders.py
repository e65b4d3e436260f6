"""Messages and envelopes as fulfillment hears them, with everything that a test does not care about filled
in.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from contracts.envelope import uuid7
from contracts.fulfillment import (
    AdjustStock,
    CancelShipment,
    DispatchShipment,
    PackParcel,
    ParcelLine,
    ProofKind,
    RecordDelivery,
    ReportParcelLost,
    SetStock,
    StockLevel,
    UnpackParcel,
    UpdateShipment,
)
from contracts.message import LineUnits
from contracts.orders import (
    Buyer,
    ChangeCause,
    LineAddition,
    LinesAdditionRequested,
    LinesReductionRequested,
    OrderDeleted,
    OrderPlaced,
    PlacedLine,
)
from contracts.storefront import LineKind, Module, PaymentChoice, PaymentMethod, Totals

PLACED_AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def a_shop() -> str:
    """A shop no other test uses."""
    return f"shop-{uuid4().hex[:12]}"


def goods(sku: str, quantity: int = 1) -> tuple[LineKind, str | None, int]:
    """A line of goods."""
    return LineKind.SHIP, sku, quantity


def ticket(quantity: int = 1) -> tuple[LineKind, str | None, int]:
    """A line without goods."""
    return LineKind.TICKET, None, quantity


def placed(
    shop: str,
    *lines: tuple[LineKind, str | None, int],
    order_id: UUID | None = None,
    placed_at: datetime = PLACED_AT,
) -> OrderPlaced:
    """An order with these lines."""
    return OrderPlaced(
        shop=shop,
        order_id=order_id or uuid7(),
        code="K7F3-QD9M",
        module=Module.SHOP,
        placed_at=placed_at,
        locale="fr",
        currency="EUR",
        payment=PaymentChoice(method=PaymentMethod.CARD),
        customer=Buyer(name="Ada Martin", email="ada@example.org"),
        lines=[
            PlacedLine(
                line=number,
                kind=kind,
                description="Article",
                sku=sku,
                quantity=quantity,
                unit_price_minor=1000,
                total_minor=1000 * quantity,
            )
            for number, (kind, sku, quantity) in enumerate(lines, 1)
        ],
        totals=Totals(lines_minor=1000, total_minor=1000),
    )


def stock_of(shop: str, **on_hand: int) -> SetStock:
    """What a count found, by SKU, at the main location."""
    return stock_at(shop, *((sku, "main", units) for sku, units in on_hand.items()))


def stock_at(shop: str, *levels: tuple[str, str, int]) -> SetStock:
    """What a count found: SKU, location, units."""
    return SetStock(
        shop=shop,
        levels=[StockLevel(sku=sku, location=location, on_hand=units) for sku, location, units in levels],
        actor="api:erp",
    )


def pack(order: OrderPlaced, units: dict[int, int], parcel_id: UUID | None = None, **more: Any) -> PackParcel:
    """A parcel of the order with these units by line."""
    return PackParcel(
        shop=order.shop,
        order_id=order.order_id,
        parcel_id=parcel_id or uuid7(),
        lines=[ParcelLine(line=line, quantity=quantity) for line, quantity in units.items()],
        actor="staff:zoe",
        **more,
    )


def unpack(order: OrderPlaced, parcel_id: UUID) -> UnpackParcel:
    """A parcel of the order is to be taken apart."""
    return UnpackParcel(shop=order.shop, order_id=order.order_id, parcel_id=parcel_id, actor="staff:max")


def dispatch(
    order: OrderPlaced, parcel_ids: Sequence[UUID], shipment_id: UUID | None = None, **more: Any
) -> DispatchShipment:
    """A shipment of the order with these parcels, by Colissimo unless said otherwise."""
    fields: dict[str, Any] = {
        "carrier": "Colissimo",
        "tracking_number": "6A12345678901",
        "shipped_on": date(2026, 11, 21),
    }
    return DispatchShipment(
        shop=order.shop,
        order_id=order.order_id,
        shipment_id=shipment_id or uuid7(),
        parcel_ids=list(parcel_ids),
        actor="staff:zoe",
        **{**fields, **more},
    )


def correct(order: OrderPlaced, shipment_id: UUID, **more: Any) -> UpdateShipment:
    """A correction of a shipment, to another tracking number unless said otherwise."""
    fields: dict[str, Any] = {
        "carrier": "Colissimo",
        "tracking_number": "6A99999999999",
        "shipped_on": date(2026, 11, 21),
        "actor": "staff:max",
    }
    return UpdateShipment(
        shop=order.shop, order_id=order.order_id, shipment_id=shipment_id, **{**fields, **more}
    )


def call_off(order: OrderPlaced, shipment_id: UUID, **more: Any) -> CancelShipment:
    """A shipment is to be taken back."""
    return CancelShipment(
        shop=order.shop, order_id=order.order_id, shipment_id=shipment_id, actor="staff:max", **more
    )


def lose(order: OrderPlaced, parcel_id: UUID, **more: Any) -> ReportParcelLost:
    """A parcel is said to be lost."""
    return ReportParcelLost(
        shop=order.shop, order_id=order.order_id, parcel_id=parcel_id, actor="staff:max", **more
    )


def deliver(order: OrderPlaced, shipment_id: UUID, **more: Any) -> RecordDelivery:
    """The delivery of a shipment, two days after it was placed."""
    fields: dict[str, Any] = {
        "delivered_at": PLACED_AT + timedelta(days=2),
        "proof": ProofKind.SIGNATURE,
        "proof_reference": "S-77",
    }
    return RecordDelivery(
        shop=order.shop,
        order_id=order.order_id,
        shipment_id=shipment_id,
        actor="staff:zoe",
        **{**fields, **more},
    )


def adjustment(shop: str, sku: str, change: int, **more: Any) -> AdjustStock:
    """So many units of a SKU came or went at the main location, unless said otherwise."""
    fields: dict[str, Any] = {"reason": "Deux bougies cassées", "actor": "staff:zoe", **more}
    return AdjustStock(shop=shop, sku=sku, change=change, **fields)


def reduce(
    order: OrderPlaced,
    units: dict[int, int],
    request_id: UUID | None = None,
    cause: ChangeCause = ChangeCause.CANCELLED,
) -> LinesReductionRequested:
    """A request to stop these units by line."""
    return LinesReductionRequested(
        shop=order.shop,
        order_id=order.order_id,
        code=order.code,
        request_id=request_id or uuid7(),
        lines=[LineUnits(line=line, quantity=quantity) for line, quantity in units.items()],
        cause=cause,
        actor="staff:zoe",
    )


def add(
    order: OrderPlaced,
    lines: dict[int, tuple[LineKind, str | None, int]],
    request_id: UUID | None = None,
    cause: ChangeCause = ChangeCause.EDITED,
    all_or_nothing: bool = False,
) -> LinesAdditionRequested:
    """A request for these units by line number."""
    return LinesAdditionRequested(
        shop=order.shop,
        order_id=order.order_id,
        code=order.code,
        request_id=request_id or uuid7(),
        lines=[
            LineAddition(line=line, kind=kind, sku=sku, quantity=quantity)
            for line, (kind, sku, quantity) in lines.items()
        ],
        all_or_nothing=all_or_nothing,
        cause=cause,
        actor="staff:zoe",
    )


def deleted(order: OrderPlaced) -> OrderDeleted:
    """The order's deletion."""
    return OrderDeleted(
        shop=order.shop,
        order_id=order.order_id,
        code=order.code,
        reason="Commande de test",
        actor="staff:zoe",
        deleted_at=PLACED_AT,
    )
