"""Orders, shipments and shops for the notifier's tests; every value can be replaced."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from contracts.fulfillment.parcels import ParcelLine
from contracts.fulfillment.shipments import ParcelLost, ShipmentCancelled, ShipmentDispatched, ShipmentUpdated
from contracts.orders.changes import OrderEdited
from contracts.orders.lifecycle import Buyer, OrderPlaced, OrderState, PlacedLine, StatusUpdated
from contracts.payments.refunds import Refund
from contracts.sale import Address, ExtraLine, PaymentChoice, PaymentMethod, Shipping
from services.notifier.mails.settings import NotifierSettings, ShopProfile
from tests.builders import orders, shipments

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
        "description": "Bougie figuier 180 g",
        "sku": f"BOUGIE-{number}",
        "quantity": 2,
        "unit_price_minor": 2450,
        "vat_rate": 2000,
    }
    return orders.a_line(number, **{**values, **changes})


def an_order(**changes: Any) -> OrderPlaced:
    """An order of 1 234,50 € by transfer, in French."""
    values: dict[str, Any] = {
        "shop": SHOP,
        "placed_at": PLACED_AT,
        "payment": PaymentChoice(method=PaymentMethod.TRANSFER),
        "customer": Buyer(name="Zoé Lefèvre", email="zoe@clients.example", phone="+33 6 99 00 00 01"),
        "billing_address": an_address(),
        "shipping_address": an_address(),
        "lines": [
            a_line(1),
            a_line(2, description="Atelier « cire & mèches »", quantity=1, unit_price_minor=117_060),
        ],
        "shipping": Shipping(label="Colissimo", amount_minor=490, vat_rate=2000),
        "extra_lines": [ExtraLine(label="Emballage cadeau", amount_minor=1000, vat_rate=2000)],
        "note": "Merci de sonner deux fois.",
    }
    return orders.an_order(**{**values, **changes})


def a_shipment(order_id: UUID, **changes: Any) -> ShipmentDispatched:
    """A shipment of the order's first line, with tracking, to be told to the customer."""
    values: dict[str, Any] = {
        "shop": SHOP,
        "order_id": order_id,
        "lines": [ParcelLine(line=1, quantity=2)],
        "tracking_url": "https://suivi.example/colis?id=6A12345678901&lang=fr",
        "shipped_on": date(2026, 11, 23),
        "expected_on": date(2026, 11, 25),
        "notify_customer": True,
        "dispatched_at": datetime(2026, 11, 23, 8, 30, tzinfo=UTC),
        "dispatched_by": "lea",
    }
    return shipments.a_shipment(**{**values, **changes})


def a_correction(order_id: UUID, **changes: Any) -> ShipmentUpdated:
    """The shipment with another number, to be told to the customer."""
    shipment = a_shipment(
        order_id, tracking_number="6A99", tracking_url="https://suivi.example/colis?id=6A99"
    )
    at = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
    return shipments.a_correction(shipment, **{"updated_at": at, "updated_by": "lea", **changes})


def a_cancelled_shipment(order_id: UUID, **changes: Any) -> ShipmentCancelled:
    """The shipment taken back, to be told to the customer."""
    at = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
    values = {"reason": "note interne", "cancelled_at": at, "cancelled_by": "lea", **changes}
    return shipments.a_cancellation(a_shipment(order_id), **values)


def a_lost_parcel(order_id: UUID, **changes: Any) -> ParcelLost:
    """A parcel that will not arrive, to be told to the customer."""
    at = datetime(2026, 11, 30, 8, 30, tzinfo=UTC)
    values = {"reason": "note interne", "notify_customer": True, "lost_at": at, "lost_by": "lea", **changes}
    return shipments.a_lost_parcel(a_shipment(order_id), **values)


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
    content: dict[str, Any] = {
        "revision": 3,
        "customer": Buyer(name="Zoé Lefèvre", email="zoe@nouvelle.example"),
        "shipping_address": order.shipping_address,
    }
    return orders.edited(order, **{**content, **changes})


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
