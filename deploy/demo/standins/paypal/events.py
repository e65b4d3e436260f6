"""Webhook events of PayPal: their envelope, and the log from which they are delivered, listed and sent again.

An event shows its resource as it was when the event happened. In version 1 amounts are `total` and `currency` and the
envelope names no `resource_version`.
"""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from deploy.demo.standins.delivering import Event
from deploy.demo.standins.paypal.account import Account
from deploy.demo.standins.paypal.shapes import Json, link, new_id

TYPES = {
    "CHECKOUT.ORDER.APPROVED": "An order has been approved by buyer.",
    "CHECKOUT.ORDER.COMPLETED": "An order has been completed.",
    "CHECKOUT.PAYMENT-APPROVAL.REVERSED": "A payment has been reversed after approval.",
    "PAYMENT.AUTHORIZATION.CREATED": "A payment authorization is created, approved, executed.",
    "PAYMENT.AUTHORIZATION.VOIDED": "A payment authorization is voided.",
    "PAYMENT.CAPTURE.COMPLETED": "A payment capture completes.",
    "PAYMENT.CAPTURE.PENDING": "The state of a payment capture changes to pending.",
    "PAYMENT.CAPTURE.DENIED": "A payment capture is denied.",
    "PAYMENT.CAPTURE.DECLINED": "A payment capture is declined.",
    "PAYMENT.CAPTURE.REFUNDED": "A merchant refunds a payment capture.",
    "PAYMENT.CAPTURE.REVERSED": "PayPal reverses a payment capture.",
    "PAYMENT.REFUND.PENDING": "The state of a refund changes to pending.",
    "PAYMENT.REFUND.FAILED": "A refund fails.",
    "CUSTOMER.DISPUTE.CREATED": "A customer dispute is created.",
    "CUSTOMER.DISPUTE.UPDATED": "A customer dispute is updated.",
    "CUSTOMER.DISPUTE.RESOLVED": "A customer dispute is resolved.",
}
"""Types that a webhook can subscribe to, as far as the stand-in emits them."""


@dataclass(frozen=True)
class Happened:
    """One event with the content that is delivered and listed."""

    content: Json
    at: datetime

    @property
    def id(self) -> str:
        return str(self.content["id"])

    @property
    def type(self) -> str:
        return str(self.content["event_type"])

    def webhook(self) -> Event:
        """Return the event as it is posted, on one line."""
        body = json.dumps(self.content, separators=(",", ":")).encode()
        return Event(self.id, body, str(self.content["resource"].get("id", "")))


class EventLog:
    """All events of an account, the oldest first. `deliver` gets each one to post."""

    def __init__(self, account: Account, deliver: Callable[[Event], None]) -> None:
        self.happened: list[Happened] = []
        self._account, self._deliver = account, deliver

    def add(
        self, event_type: str, resource: Json, *, version: int = 2, same_id_as: str | None = None
    ) -> Happened:
        """Log an event and post it; `same_id_as`: under the id of an event that happened."""
        one = self.made(event_type, resource, version=version, same_id_as=same_id_as)
        self.happened.append(one)
        self._deliver(one.webhook())
        return one

    def made(
        self, event_type: str, resource: Json, *, version: int = 2, same_id_as: str | None = None
    ) -> Happened:
        """Return an event that is neither logged nor posted."""
        chance, now = self._account.chance, self._account.clock()
        event_id = same_id_as or f"WH-{new_id(chance)}-{new_id(chance)}"
        return Happened(self._content(event_id, event_type, resource, version, now), now)

    def again(self, event_id: str) -> None:
        """Post the events with an id once more. Raises KeyError."""
        found = [one for one in self.happened if one.id == event_id]
        if not found:
            raise KeyError(event_id)
        for one in found:
            self._deliver(one.webhook())

    def between(
        self, start: datetime, end: datetime, event_type: str = "", about: str = ""
    ) -> list[Happened]:
        """Return the events of a time, the newest first as PayPal lists them."""
        found = [one for one in self.happened if start <= one.at <= end]
        wanted = [
            one for one in found if event_type in ("", one.type) and (not about or about in str(one.content))
        ]
        return wanted[::-1]

    def _content(self, event_id: str, event_type: str, resource: Json, version: int, now: datetime) -> Json:
        url = f"{self._account.api_url}/v1/notifications/webhooks-events/{event_id}"
        return {
            "id": event_id,
            "event_version": "1.0",
            "create_time": now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z",
            "resource_type": resource_type_of(event_type),
            **({"resource_version": "2.0"} if version == 2 else {}),
            "event_type": event_type,
            "summary": TYPES.get(event_type, event_type),
            "resource": copy.deepcopy(resource),
            "links": [link(url, "self"), link(f"{url}/resend", "resend", "POST")],
        }


def resource_type_of(event_type: str) -> str:
    """Return what an event's resource is called."""
    if event_type in ("PAYMENT.CAPTURE.REFUNDED", "PAYMENT.CAPTURE.REVERSED") or ".REFUND." in event_type:
        return "refund"
    if event_type.startswith("CUSTOMER.DISPUTE."):
        return "dispute"
    if event_type.startswith("CHECKOUT."):
        return "checkout-order"
    return "authorization" if ".AUTHORIZATION." in event_type else "capture"
