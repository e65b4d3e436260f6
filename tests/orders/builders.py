"""Builders for the tests of orders: a sale as a storefront sends it, and what the other services say of it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from contracts.envelope import uuid7
from contracts.fulfillment import (
    DeliveryRecorded,
    FulfilmentPosition,
    LinePosition,
    ParcelLine,
    ParcelLost,
    ParcelPacked,
    ProofKind,
    ShipmentCancelled,
    ShipmentDispatched,
    ShipmentUpdated,
    StockReserved,
    StockStanding,
)
from contracts.notifier import MailReport, MailSent
from contracts.orders import OrderPlaced
from contracts.payments import BalanceChanged, LedgerEntry, PaymentSettled, PaymentUnmatched, Position
from contracts.storefront import (
    CheckoutDropped,
    CheckoutOpened,
    LineKind,
    Module,
    OrderSubmitted,
    PaymentMethod,
)
from services.chassis.testing import Desk

SHOP = "maison"
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
ADDRESS = {
    "name": "Zoé Martin",
    "street": "3 rue des Lilas",
    "postal_code": "75011",
    "city": "Paris",
    "country": "FR",
}


def a_line(**changes: Any) -> dict[str, Any]:
    """A line of two mugs at 12,00 €, with its total unless the changes give one."""
    line: dict[str, Any] = {
        "kind": LineKind.SHIP,
        "description": "Mug bleu",
        "sku": "MUG-BLEU",
        "quantity": 2,
        "unit_price_minor": 1200,
        "vat_rate": 2000,
        **changes,
    }
    gross = line["quantity"] * line["unit_price_minor"] - line.get("discount_minor", 0)
    return {"total_minor": gross, **line}


def a_sale(*lines: dict[str, Any], **changes: Any) -> OrderSubmitted:
    """A sale that adds up: VAT included, shipping at 5,00 €, paid by card."""
    chosen = list(lines) or [a_line(), a_line(description="Théière", sku="THEIERE", quantity=1)]
    shipping = changes.pop("shipping", {"label": "Colissimo", "amount_minor": 500, "vat_rate": 2000})
    sold = sum(line["total_minor"] for line in chosen)
    carried = shipping["amount_minor"] if shipping else 0
    taxed = [(line["total_minor"], line.get("vat_rate", 0)) for line in chosen]
    taxed += [(carried, shipping.get("vat_rate", 0))] if shipping else []
    totals = {
        "lines_minor": sold,
        "shipping_minor": carried,
        "tax_minor": sum(round(amount * rate / (10_000 + rate)) for amount, rate in taxed),
        "total_minor": sold + carried,
    }
    return OrderSubmitted.model_validate(
        {
            "shop": SHOP,
            "module": Module.SHOP,
            "idempotency_key": uuid4().hex,
            "source_reference": "W-1001",
            "submitted_at": NOW,
            "currency": "EUR",
            "payment": {"method": PaymentMethod.CARD, "provider": "stripe", "provider_reference": "pi_1"},
            "customer": {"name": "Zoé Martin", "email": "zoe@client.example", "ip_address": "192.0.2.7"},
            "shipping_address": ADDRESS,
            "lines": chosen,
            "shipping": shipping,
            "totals": totals,
            **changes,
        }
    )


def a_checkout(*lines: dict[str, Any], **changes: Any) -> CheckoutOpened:
    """A checkout opened an hour ago, in which its customer has told all that `a_sale` holds."""
    sale = a_sale(*lines).model_dump(exclude_none=True, exclude={"submitted_at"})
    opened = {"checkout_id": uuid7(), "opened_at": datetime.now(UTC) - timedelta(hours=1), **sale, **changes}
    return CheckoutOpened.model_validate(opened)


def as_sale(opened: CheckoutOpened, **changes: Any) -> OrderSubmitted:
    """The sale that its storefront submits for a checkout."""
    told = opened.model_dump(exclude_none=True, exclude={"opened_at"})
    return OrderSubmitted.model_validate({**told, "submitted_at": opened.opened_at, **changes})


def dropped(opened: CheckoutOpened, at: datetime) -> CheckoutDropped:
    """Its customer gave the checkout up."""
    return CheckoutDropped(
        shop=opened.shop, module=opened.module, checkout_id=opened.checkout_id, dropped_at=at
    )


def money_for(opened: CheckoutOpened, **changes: Any) -> PaymentUnmatched:
    """Payments has money that names a checkout, which it does not know as an order."""
    unmatched = {
        "shop": opened.shop,
        "provider": "stripe",
        "provider_reference": f"pi_{opened.checkout_id.hex}",
        "amount_minor": opened.totals.total_minor if opened.totals else 1,
        "currency": "EUR",
        "received_at": opened.opened_at + timedelta(minutes=1),
        "reason": "order_unknown",
        "order_id": opened.checkout_id,
        **changes,
    }
    return PaymentUnmatched.model_validate(unmatched)


def paid_by(method: str) -> dict[str, Any]:
    """The payment choice of a sale without a provider."""
    return {"method": method}


async def a_life(desk: Desk, *lines: dict[str, Any], **changes: Any) -> "Life":
    """Place a sale of goods on a desk: what the others may say of it from now on."""
    sale = a_sale(*lines, **changes)
    outcome = await desk.deliver(sale)
    (placed,) = outcome.said(OrderPlaced)
    quantities = [line.quantity for line in sale.lines]
    return Life(placed.order_id, placed.code, sale.totals.total_minor, quantities, sale.shop)


class Life:
    """What the others say of one order, each message as it would be sent. `total` is what is due."""

    def __init__(
        self, order_id: UUID, code: str, total: int, quantities: Sequence[int], shop: str = SHOP
    ) -> None:
        self.shop, self.order_id, self.code, self.total = shop, order_id, code, total
        self.quantities = quantities
        self.parcel_id, self.shipment_id, self.entry_id = uuid7(), uuid7(), uuid7()

    def _about(self) -> dict[str, Any]:
        return {"shop": self.shop, "order_id": self.order_id, "code": self.code}

    def balance(self, version: int, received: int = 0, **changes: Any) -> BalanceChanged:
        """A position of the account after so much was received."""
        position = {
            "version": version,
            "currency": "EUR",
            "due_minor": self.total,
            "received_minor": received,
            "balance_minor": self.total - received,
            **changes,
        }
        return BalanceChanged(**self._about(), position=Position.model_validate(position))

    def opened(self) -> BalanceChanged:
        """The account was opened: what is due."""
        entry = self._entry(uuid5(self.order_id, "total"), 1, "order_total", self.total, actor="orders")
        return self.balance(1).model_copy(update={"entries": [entry]})

    def paid(self) -> BalanceChanged:
        """All that is due was received by card."""
        origin = {"method": PaymentMethod.CARD, "provider": "stripe", "provider_reference": "pi_1"}
        days = {"received_on": date(2026, 11, 22), "actor": "stripe"}
        entry = self._entry(self.entry_id, 2, "payment_received", 0, **origin, **days)
        return self.balance(2, received=self.total).model_copy(update={"entries": [entry]})

    def _entry(self, entry_id: UUID, number: int, kind: str, balance: int, **more: Any) -> LedgerEntry:
        return LedgerEntry(
            entry_id=entry_id,
            number=number,
            kind=kind,
            amount_minor=self.total,
            balance_after_minor=balance,
            occurred_at=NOW,
            **more,
        )

    def settled(self, amount: int | None = None, **changes: Any) -> PaymentSettled:
        """A receipt, by default of all that is due, by card."""
        entry = {
            "entry_id": self.entry_id,
            "method": PaymentMethod.CARD,
            "amount_minor": self.total if amount is None else amount,
            "currency": "EUR",
            "provider": "stripe",
            "provider_reference": "pi_1",
            "received_on": date(2026, 11, 22),
            "recorded_by": "stripe",
            "balance_minor": 0,
            **changes,
        }
        return PaymentSettled.model_validate({**self._about(), **entry})

    def position(self, version: int, **done: int) -> FulfilmentPosition:
        """A position in which of every line so many units (or all, if fewer) are packed, shipped, …"""
        lines = [
            LinePosition(
                line=number,
                kind=LineKind.SHIP,
                ordered=quantity,
                **{name: min(units, quantity) for name, units in done.items()},
            )
            for number, quantity in enumerate(self.quantities, 1)
        ]
        return FulfilmentPosition(version=version, stock=StockStanding.RESERVED, lines=lines)

    def _all_lines(self) -> list[ParcelLine]:
        return [ParcelLine(line=number, quantity=units) for number, units in enumerate(self.quantities, 1)]

    def reserved(self) -> StockReserved:
        """Stock for all of it."""
        return StockReserved(**self._about(), position=self.position(1))

    def packed(self) -> ParcelPacked:
        """All of it in one parcel."""
        return ParcelPacked(
            **self._about(),
            parcel_id=self.parcel_id,
            number=1,
            lines=self._all_lines(),
            kind="box",
            packed_at=NOW,
            packed_by="api:erp",
            position=self.position(2, packed=10**6),
        )

    def dispatched(self) -> ShipmentDispatched:
        """The parcel given to the carrier."""
        return ShipmentDispatched(
            **self._about(),
            shipment_id=self.shipment_id,
            parcel_ids=[self.parcel_id],
            lines=self._all_lines(),
            carrier="Colissimo",
            tracking_number="6A1234567890",
            shipped_on=date(2026, 11, 22),
            dispatched_at=NOW,
            dispatched_by="api:erp",
            position=self.position(3, packed=10**6, shipped=10**6),
        )

    def _corrected(self, version: int) -> dict[str, Any]:
        return {
            **self._about(),
            "shipment_id": self.shipment_id,
            "version": version,
            "parcel_ids": [self.parcel_id],
            "lines": self._all_lines(),
            "shipped_on": date(2026, 11, 22),
            "dispatched_at": NOW,
            "dispatched_by": "api:erp",
        }

    def corrected(
        self, version: int = 2, carrier: str = "DHL", number: str | None = "JD01"
    ) -> ShipmentUpdated:
        """The shipment with another carrier and number."""
        return ShipmentUpdated(
            **self._corrected(version),
            carrier=carrier,
            tracking_number=number,
            updated_at=NOW,
            updated_by="staff:zoe",
            position=self.position(2 + version, packed=10**6, shipped=10**6),
        )

    def taken_back(self, version: int = 2, carrier: str = "Colissimo") -> ShipmentCancelled:
        """The shipment that had not left."""
        return ShipmentCancelled(
            **self._corrected(version),
            carrier=carrier,
            reason="Jamais parti",
            cancelled_at=NOW,
            cancelled_by="staff:zoe",
            position=self.position(2 + version, packed=10**6),
        )

    def lost(self) -> ParcelLost:
        """The parcel that will not arrive."""
        return ParcelLost(
            **self._about(),
            parcel_id=self.parcel_id,
            number=1,
            shipment_id=self.shipment_id,
            lines=self._all_lines(),
            reason="Enquête close",
            lost_at=NOW,
            lost_by="staff:zoe",
            position=self.position(4, packed=10**6, shipped=10**6, lost=10**6),
        )

    def delivered(self) -> DeliveryRecorded:
        """The parcel with the customer."""
        return DeliveryRecorded(
            **self._about(),
            shipment_id=self.shipment_id,
            parcel_ids=[self.parcel_id],
            delivered_at=NOW,
            proof=ProofKind.SIGNATURE,
            recorded_by="api:erp",
            position=self.position(4, packed=10**6, shipped=10**6, delivered=10**6),
        )

    def mailed(self, *templates: str) -> MailSent:
        """Mails of these templates accepted by the mail server."""
        return MailSent(mails=[self.report(template) for template in templates])

    def report(self, template: str, **changes: Any) -> MailReport:
        """The report on one mail."""
        report = {
            "mail_id": uuid7(),
            "shop": self.shop,
            "order_id": self.order_id,
            "template": template,
            "recipient": "zoe@client.example",
            "cause_id": self.order_id,
            "at": NOW,
            "detail": "250 ok",
            **changes,
        }
        return MailReport.model_validate(report)
