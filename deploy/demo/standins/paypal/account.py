"""A merchant's account at PayPal: orders, authorizations, captures, and the money that moved.

Buyers and PayPal itself act through the methods; each change is emitted as the events that PayPal sends about it. The
objects are kept as version 2 of the API shows them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from deploy.demo.standins.paypal.refusals import Refused
from deploy.demo.standins.paypal.shapes import (
    Json,
    fee_of,
    link,
    money,
    new_id,
    new_merchant_id,
    timestamp,
    value_of,
)

Emit = Callable[[str, Json], None]
"""Takes an event's type and its resource."""
Clock = Callable[[], datetime]

CHECKOUT, REVERSAL, REFUND, HOLD, RELEASE, DISPUTE_FEE = "T0006", "T1106", "T1107", "T1110", "T1111", "T0106"
"""Event codes of transactions in reports."""


@dataclass(frozen=True)
class Movement:
    """Money that came into or left the account. Fees are negative, as in PayPal's reports."""

    id: str
    code: str
    value: Decimal
    fee: Decimal
    currency: str
    began: datetime
    """When the transaction was initiated; one that takes days moves money later."""
    at: datetime
    about: str
    """The transaction that it belongs to; empty for a payment itself."""
    custom_id: str
    invoice_id: str


class Account:
    """Everything PayPal knows of one merchant."""

    def __init__(self, api_url: str, emit: Emit, chance: Random, clock: Clock) -> None:
        self.api_url = api_url
        self.chance = chance
        self.emit, self.clock = emit, clock
        self.merchant_id = new_merchant_id(chance)
        self.orders: dict[str, Json] = {}
        self.authorizations: dict[str, Json] = {}
        self.captures: dict[str, Json] = {}
        self.refunds: dict[str, Json] = {}
        self.disputes: dict[str, Json] = {}
        self.movements: list[Movement] = []

    def approve(
        self,
        value: str,
        currency: str,
        *,
        custom_id: str = "",
        invoice_id: str = "",
        order_id: str | None = None,
        intent: str = "CAPTURE",
    ) -> Json:
        """Let a buyer approve an order over an amount; nothing is paid yet."""
        now = timestamp(self.clock())
        order_id = order_id or new_id(self.chance)
        unit: Json = {
            "reference_id": "default",
            "amount": money(Decimal(value), currency),
            "payee": {"merchant_id": self.merchant_id},
            **self._names(custom_id, invoice_id),
        }
        order: Json = {
            "id": order_id,
            "intent": intent,
            "status": "APPROVED",
            "purchase_units": [unit],
            "create_time": now,
            "update_time": now,
            "links": [link(f"{self.api_url}/v2/checkout/orders/{order_id}", "self")],
        }
        self.orders[order_id] = order
        self.emit("CHECKOUT.ORDER.APPROVED", order)
        return order

    def pay(
        self, value: str, currency: str, *, status: str = "COMPLETED", reason: str = "", **order: Any
    ) -> Json:
        """Let a buyer approve an order and the shop capture it at once; returns the capture."""
        return self.capture_order(self.approve(value, currency, **order)["id"], status=status, reason=reason)

    def capture_order(self, order_id: str, *, status: str = "COMPLETED", reason: str = "") -> Json:
        """Capture an approved order whole; `PENDING` and `DECLINED` with a reason of PayPal's."""
        order = self.orders[order_id]
        unit = order["purchase_units"][0]
        capture = self._capture(order_id, unit, value_of(unit["amount"]), status, reason)
        unit["payments"] = {"captures": [capture]}
        order.update(status="COMPLETED", update_time=timestamp(self.clock()))
        self.emit("CHECKOUT.ORDER.COMPLETED", order)
        self._notify_capture(capture)
        return capture

    def authorize_order(self, order_id: str) -> Json:
        """Reserve an approved order's amount."""
        order = self.orders[order_id]
        unit, now = order["purchase_units"][0], self.clock()
        authorization_id = new_id(self.chance)
        url = f"{self.api_url}/v2/payments/authorizations/{authorization_id}"
        authorization: Json = {
            "id": authorization_id,
            "status": "CREATED",
            "amount": unit["amount"],
            **self._names(unit.get("custom_id", ""), unit.get("invoice_id", "")),
            "expiration_time": timestamp(now + timedelta(days=29)),
            "supplementary_data": {"related_ids": {"order_id": order_id}},
            "create_time": timestamp(now),
            "update_time": timestamp(now),
            "links": [link(url, "self"), link(f"{self.api_url}/v2/checkout/orders/{order_id}", "up")],
        }
        self.authorizations[authorization_id] = authorization
        unit["payments"] = {"authorizations": [authorization]}
        order.update(status="COMPLETED", update_time=timestamp(now))
        self.emit("PAYMENT.AUTHORIZATION.CREATED", authorization)
        return authorization

    def capture_authorization(self, authorization_id: str, value: str, *, is_final: bool = True) -> Json:
        """Capture an authorized amount or a part of it."""
        authorization = self.authorizations[authorization_id]
        order_id = authorization["supplementary_data"]["related_ids"]["order_id"]
        unit = self.orders[order_id]["purchase_units"][0]
        capture = self._capture(order_id, unit, Decimal(value), "COMPLETED", "", authorization_id)
        capture["final_capture"] = is_final
        unit["payments"].setdefault("captures", []).append(capture)
        status = "CAPTURED" if is_final else "PARTIALLY_CAPTURED"
        authorization.update(status=status, update_time=timestamp(self.clock()))
        self._notify_capture(capture)
        return capture

    def forget_approval(self, order_id: str) -> None:
        """Cancel an approved order that was not captured in time."""
        order = self.orders[order_id]
        order.update(status="VOIDED", update_time=timestamp(self.clock()))
        self.emit("CHECKOUT.PAYMENT-APPROVAL.REVERSED", order)

    def void(self, authorization_id: str) -> None:
        """Release an authorization."""
        authorization = self.authorizations[authorization_id]
        authorization.update(status="VOIDED", update_time=timestamp(self.clock()))
        self.emit("PAYMENT.AUTHORIZATION.VOIDED", authorization)

    def settle(self, capture_id: str, status: str) -> None:
        """Complete a pending capture, or decline it."""
        capture = self.captures[capture_id]
        if capture["status"] != "PENDING":
            raise ValueError(
                f"capture {capture_id} is {capture['status']}; only a pending one can be settled"
            )
        capture.pop("status_details", None)
        capture.update(status=status, update_time=timestamp(self.clock()))
        if status == "COMPLETED":
            self._receive(capture)
        self.emit("PAYMENT.CAPTURE.DENIED" if status == "DECLINED" else f"PAYMENT.CAPTURE.{status}", capture)

    def capture(self, capture_id: str) -> Json:
        """Return a capture. Raises Refused."""
        return _found(self.captures, capture_id)

    def move(self, code: str, value: Decimal, capture: Json, about: str = "", **more: Any) -> Movement:
        """Record money that came (positive) or left (negative), of a capture."""
        now = self.clock()
        moved = Movement(
            id=more.get("id") or new_id(self.chance),
            code=code,
            value=value,
            fee=more.get("fee", Decimal(0)),
            currency=capture["amount"]["currency_code"],
            began=more.get("began", now),
            at=now,
            about=about,
            custom_id=capture.get("custom_id", ""),
            invoice_id=capture.get("invoice_id", ""),
        )
        self.movements.append(moved)
        return moved

    def _capture(
        self, order_id: str, unit: Json, value: Decimal, status: str, reason: str, authorization_id: str = ""
    ) -> Json:
        capture_id, now = new_id(self.chance), timestamp(self.clock())
        url = f"{self.api_url}/v2/payments/captures/{capture_id}"
        up = (
            f"/v2/payments/authorizations/{authorization_id}"
            if authorization_id
            else f"/v2/checkout/orders/{order_id}"
        )
        related = {
            "order_id": order_id,
            **({"authorization_id": authorization_id} if authorization_id else {}),
        }
        capture: Json = {
            "id": capture_id,
            "status": status,
            **({"status_details": {"reason": reason}} if reason else {}),
            "amount": money(value, unit["amount"]["currency_code"]),
            "final_capture": True,
            "seller_protection": {"status": "NOT_ELIGIBLE"},
            **self._names(unit.get("custom_id", ""), unit.get("invoice_id", "")),
            "supplementary_data": {"related_ids": related},
            "create_time": now,
            "update_time": now,
            "links": [
                link(url, "self"),
                link(f"{url}/refund", "refund", "POST"),
                link(self.api_url + up, "up"),
            ],
        }
        self.captures[capture_id] = capture
        if status == "COMPLETED":
            self._receive(capture)
        return capture

    def _receive(self, capture: Json) -> None:
        value, currency = value_of(capture["amount"]), capture["amount"]["currency_code"]
        fee = fee_of(value, currency)
        capture["seller_receivable_breakdown"] = {
            "gross_amount": capture["amount"],
            "paypal_fee": money(fee, currency),
            "net_amount": money(value - fee, currency),
        }
        began = datetime.fromisoformat(capture["create_time"])
        self.move(CHECKOUT, value, capture, fee=-fee, id=capture["id"], began=began)

    def _notify_capture(self, capture: Json) -> None:
        self.emit(f"PAYMENT.CAPTURE.{capture['status']}", capture)

    @staticmethod
    def _names(custom_id: str, invoice_id: str) -> Json:
        given = {"custom_id": custom_id, "invoice_id": invoice_id}
        return {name: value for name, value in given.items() if value}


def _found(kept: dict[str, Json], key: str) -> Json:
    if key not in kept:
        raise Refused(404, "INVALID_RESOURCE_ID")
    return kept[key]
