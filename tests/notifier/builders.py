"""Orders, shipments and shops for the notifier's tests; every value can be replaced."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from contracts.envelope import uuid7
from contracts.fulfillment import (
    FulfilmentPosition,
    ParcelLine,
    ParcelLost,
    ShipmentCancelled,
    ShipmentDispatched,
    ShipmentUpdated,
    StockStanding,
)
from contracts.orders import (
    Buyer,
    ChangeCause,
    OrderEdited,
    OrderPlaced,
    OrderState,
    PlacedLine,
    StatusUpdated,
)
from contracts.payments import Refund
from contracts.storefront import (
    Address,
    ExtraLine,
    LineKind,
    Module,
    PaymentChoice,
    PaymentMethod,
    Shipping,
    Totals,
)
from services.notifier.mails.settings import NotifierSettings, ShopProfile

SHOP = "atelier-lumiere"
TOKEN = "a-token-of-the-tests"
PLACED_AT = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)


def a_shop(**changes: Any) -> ShopProfile:
    """The shop most tests write for."""
    values: dict[str, Any] = {
        "shop": SHOP,
        "name": "Atelier Lumière",
        "merchant_email": "commandes@atelier.example",
        "from_email": "boutique@atelier.example",
        "reply_to": "bonjour@atelier.example",
        "support_email": "aide@atelier.example",
        "support_phone": "+33 1 99 00 12 34",
        "opening_hours": "lun–ven 9 h–18 h",
        "postal_address": "Atelier Lumière\n12 rue des Cires\n69001 Lyon",
        "iban": "FR76 3000 6000 0112 3456 7890 189",
        "bic": "AGRIFRPP",
    }
    return ShopProfile(**{**values, **changes})


def an_address(**changes: Any) -> Address:
    """A French address."""
    values = {
        "name": "Zoé Lefèvre",
        "street": "3 allée des Tilleuls",
        "postal_code": "31000",
        "city": "Toulouse",
        "country": "FR",
    }
    return Address(**{**values, **changes})


def a_line(number: int = 1, **changes: Any) -> PlacedLine:
    """A line of goods: two candles."""
    values: dict[str, Any] = {
        "line": number,
        "kind": LineKind.SHIP,
        "description": "Bougie figuier 180 g",
        "sku": f"BOUGIE-{number}",
        "quantity": 2,
        "unit_price_minor": 2450,
        "total_minor": 4900,
        "vat_rate": 2000,
    }
    return PlacedLine(**{**values, **changes})


def an_order(**changes: Any) -> OrderPlaced:
    """An order of 1 234,50 € by transfer, in French."""
    lines = [
        a_line(1),
        a_line(
            2,
            description="Atelier « cire & mèches »",
            quantity=1,
            unit_price_minor=117_060,
            total_minor=117_060,
        ),
    ]
    values: dict[str, Any] = {
        "shop": SHOP,
        "order_id": uuid7(),
        "code": "K7F3-QD9M",
        "module": Module.SHOP,
        "placed_at": PLACED_AT,
        "locale": "fr",
        "currency": "EUR",
        "payment": PaymentChoice(method=PaymentMethod.TRANSFER),
        "customer": Buyer(name="Zoé Lefèvre", email="zoe@clients.example", phone="+33 6 99 00 00 01"),
        "billing_address": an_address(),
        "shipping_address": an_address(),
        "lines": lines,
        "shipping": Shipping(label="Colissimo", amount_minor=490, vat_rate=2000),
        "extra_lines": [ExtraLine(label="Emballage cadeau", amount_minor=1000, vat_rate=2000)],
        "totals": Totals(
            lines_minor=121_960, shipping_minor=490, extras_minor=1000, tax_minor=20_575, total_minor=123_450
        ),
        "note": "Merci de sonner deux fois.",
    }
    return OrderPlaced(**{**values, **changes})


def a_shipment(order_id: UUID, **changes: Any) -> ShipmentDispatched:
    """A shipment of the order's first line, with tracking, to be told to the customer."""
    values: dict[str, Any] = {
        "shop": SHOP,
        "order_id": order_id,
        "code": "K7F3-QD9M",
        "shipment_id": uuid7(),
        "parcel_ids": [uuid7()],
        "lines": [ParcelLine(line=1, quantity=2)],
        "carrier": "Colissimo",
        "tracking_number": "6A12345678901",
        "tracking_url": "https://suivi.example/colis?id=6A12345678901&lang=fr",
        "shipped_on": date(2026, 11, 23),
        "expected_on": date(2026, 11, 25),
        "notify_customer": True,
        "dispatched_at": datetime(2026, 11, 23, 8, 30, tzinfo=UTC),
        "dispatched_by": "lea",
        "position": FulfilmentPosition(version=3, stock=StockStanding.RESERVED, lines=[]),
    }
    return ShipmentDispatched(**{**values, **changes})


def a_correction(order_id: UUID, **changes: Any) -> ShipmentUpdated:
    """The shipment with another number, to be told to the customer."""
    told = a_shipment(order_id, tracking_number="6A99", tracking_url="https://suivi.example/colis?id=6A99")
    at = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
    return ShipmentUpdated(**{**dict(told), "version": 2, "updated_at": at, "updated_by": "lea", **changes})


def a_cancelled_shipment(order_id: UUID, **changes: Any) -> ShipmentCancelled:
    """The shipment taken back, to be told to the customer."""
    at = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
    values = {**dict(a_shipment(order_id)), "version": 2, "cancelled_at": at, "cancelled_by": "lea"}
    return ShipmentCancelled(**{**values, "reason": "note interne", **changes})


def a_lost_parcel(order_id: UUID, **changes: Any) -> ParcelLost:
    """A parcel that will not arrive, to be told to the customer."""
    told = a_shipment(order_id)
    values: dict[str, Any] = {
        "shop": told.shop,
        "order_id": order_id,
        "code": told.code,
        "parcel_id": told.parcel_ids[0],
        "number": 1,
        "shipment_id": told.shipment_id,
        "lines": told.lines,
        "reason": "note interne",
        "notify_customer": True,
        "lost_at": datetime(2026, 11, 30, 8, 30, tzinfo=UTC),
        "lost_by": "lea",
        "position": told.position,
    }
    return ParcelLost(**{**values, **changes})


def a_status(order_id: UUID, **changes: Any) -> StatusUpdated:
    """A shop's own status given to the order, to be told to the customer."""
    values: dict[str, Any] = {
        "shop": SHOP,
        "order_id": order_id,
        "code": "K7F3-QD9M",
        "previous": OrderState.READY,
        "state": OrderState.PROCESSING,
        "label": "own_1",
        "label_texts": {"fr": "En atelier", "en": "In the workshop"},
        "notify_customer": True,
        "public_comment": "Paul coule vos bougies.\n\nÀ jeudi !",
        "customer": Buyer(name="Zoé Lefèvre", email="zoe@clients.example"),
        "locale": "fr",
        "actor": "lea",
    }
    return StatusUpdated(**{**values, **changes})


def an_edit(order: OrderPlaced, **changes: Any) -> OrderEdited:
    """The order with another customer, in revision 3."""
    content = {
        "shop": order.shop,
        "order_id": order.order_id,
        "code": order.code,
        "edit_id": uuid4(),
        "revision": 3,
        "cause": ChangeCause.EDITED,
        "currency": order.currency,
        "due_change_minor": 0,
        "totals": order.totals,
        "lines": order.lines,
        "customer": Buyer(name="Zoé Lefèvre", email="zoe@nouvelle.example"),
        "shipping_address": order.shipping_address,
        "actor": "camille@atelier.example",
    }
    return OrderEdited(**{**content, **changes})


def a_refund(order: OrderPlaced, **changes: Any) -> Refund:
    """A refund of one unit, sent to the provider."""
    content = {
        "refund_id": uuid4(),
        "version": 3,
        "mode": "sent",
        "state": "sent",
        "amount_minor": 1250,
        "currency": order.currency,
        "lines": [{"line": 1, "quantity": 1}],
        "cause": "credit",
        "actor": "camille@atelier.example",
        "asked_at": PLACED_AT,
    }
    return Refund.model_validate({**content, **changes})


def settings_for(**changes: Any) -> NotifierSettings:
    """Settings of a notifier with the one shop; nothing comes from a file."""
    values: dict[str, Any] = {
        "database_url": "postgresql://nobody@127.0.0.1:1/none",
        "amqp_url": "amqp://nobody@127.0.0.1:1/",
        "internal_token": TOKEN,
        "http_port": 0,
        "shops": [a_shop()],
    }
    return NotifierSettings(**{**values, **changes})
