"""Sales and checkouts as a storefront sends them; every value can be replaced, also by one that does not add up."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from contracts.envelope import uuid7
from contracts.sale import LineKind, Module, PaymentMethod, Shipping
from contracts.storefront import CheckoutDropped, CheckoutOpened, OrderSubmitted
from deploy.samples.submissions import Charge, totals

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
    charges = [Charge(line["total_minor"], line.get("vat_rate", 0)) for line in chosen]
    carried = Shipping.model_validate(shipping) if shipping else None
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
            "totals": totals(charges, carried),
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
    fields = opened.model_dump(exclude_none=True, exclude={"opened_at"})
    return OrderSubmitted.model_validate({**fields, "submitted_at": opened.opened_at, **changes})


def dropped(opened: CheckoutOpened, at: datetime) -> CheckoutDropped:
    """Its customer gave the checkout up."""
    return CheckoutDropped(
        shop=opened.shop, module=opened.module, checkout_id=opened.checkout_id, dropped_at=at
    )


def paid_by(method: str) -> dict[str, Any]:
    """The payment choice of a sale without a provider."""
    return {"method": method}
