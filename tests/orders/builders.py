"""For the tests of orders: what the other services say of an order or a checkout."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid5

from contracts.envelope import uuid7
from contracts.fulfillment.parcels import ParcelLine, ParcelPacked
from contracts.fulfillment.position import FulfilmentPosition, LinePosition, StockStanding
from contracts.fulfillment.shipments import (
    DeliveryRecorded,
    ParcelLost,
    ShipmentCancelled,
    ShipmentDispatched,
    ShipmentUpdated,
)
from contracts.fulfillment.stock import StockReserved
from contracts.notifier.mails import MailReport, MailSent
from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.accounts import (
    BalanceChanged,
    LedgerEntry,
    PaymentSettled,
    PaymentUnmatched,
    Position,
)
from contracts.sale import LineKind, PaymentMethod
from contracts.storefront import CheckoutOpened
from services.chassis.testing import Desk
from tests.builders import shipments
from tests.builders.submissions import NOW, SHOP, a_sale


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


async def a_life(desk: Desk, *lines: dict[str, Any], **changes: Any) -> "Life":
    """Place a sale of goods on a desk: what the others may say of it from now on."""
    sale = a_sale(*lines, **changes)
    outcome = await desk.deliver(sale)
    (placed,) = outcome.messages_of(OrderPlaced)
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
        return shipments.a_parcel(
            **self._about(),
            parcel_id=self.parcel_id,
            lines=self._all_lines(),
            packed_at=NOW,
            position=self.position(2, packed=10**6),
        )

    def dispatched(self, **changes: Any) -> ShipmentDispatched:
        """The parcel given to the carrier."""
        values: dict[str, Any] = {
            **self._about(),
            "shipment_id": self.shipment_id,
            "parcel_ids": [self.parcel_id],
            "lines": self._all_lines(),
            "tracking_number": "6A1234567890",
            "shipped_on": date(2026, 11, 22),
            "dispatched_at": NOW,
            "position": self.position(3, packed=10**6, shipped=10**6),
        }
        return shipments.a_shipment(**{**values, **changes})

    def corrected(
        self, version: int = 2, carrier: str = "DHL", number: str | None = "JD01"
    ) -> ShipmentUpdated:
        """The shipment with another carrier and number."""
        return shipments.a_correction(
            self.dispatched(carrier=carrier, tracking_number=number),
            version=version,
            updated_at=NOW,
            position=self.position(2 + version, packed=10**6, shipped=10**6),
        )

    def taken_back(self, version: int = 2, carrier: str = "Colissimo") -> ShipmentCancelled:
        """The shipment that had not left."""
        return shipments.a_cancellation(
            self.dispatched(carrier=carrier, tracking_number=None),
            version=version,
            reason="Jamais parti",
            cancelled_at=NOW,
            position=self.position(2 + version, packed=10**6),
        )

    def lost(self) -> ParcelLost:
        """The parcel that will not arrive."""
        position = self.position(4, packed=10**6, shipped=10**6, lost=10**6)
        return shipments.a_lost_parcel(
            self.dispatched(), reason="Enquête close", lost_at=NOW, position=position
        )

    def delivered(self) -> DeliveryRecorded:
        """The parcel with the customer."""
        position = self.position(4, packed=10**6, shipped=10**6, delivered=10**6)
        return shipments.a_delivery(self.dispatched(), delivered_at=NOW, position=position)

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
