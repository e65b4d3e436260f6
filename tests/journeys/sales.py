"""Sales as a customer of the shop makes them; each has a key, a mail address and a payment of its own."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from contracts.envelope import uuid7
from contracts.storefront import (
    Address,
    Customer,
    LineKind,
    PaymentChoice,
    PaymentMethod,
    Shipping,
    SubmittedLine,
)
from deploy.demo.sales.merchant import GARANCE
from deploy.demo.sales.sale import Sale
from deploy.demo.sales.submitting import line, submission

NOTEBOOK = "JOURNEY-NOTEBOOK"
INK = "JOURNEY-INK"
PLENTY = 1_000_000
HOME = Address(name="Élodie Faure", street="3 rue Basse", postal_code="44000", city="Nantes", country="FR")


def notebooks(quantity: int, sku: str = NOTEBOOK) -> SubmittedLine:
    """Notebooks at 12.50."""
    return line(LineKind.SHIP, "Carnet cousu A5", quantity, 1250, vat_rate=2000, sku=sku)


def inks(quantity: int) -> SubmittedLine:
    """Bottles of ink at 9.80."""
    return line(LineKind.SHIP, "Encre sépia, 30 ml", quantity, 980, vat_rate=2000, sku=INK)


def engraving() -> SubmittedLine:
    """Nothing that fits into a parcel, at 18.00."""
    return line(LineKind.SERVICE, "Dorure d’initiales", 1, 1800, vat_rate=2000)


def open_day() -> SubmittedLine:
    """A ticket that costs nothing."""
    return line(LineKind.TICKET, "Portes ouvertes de l’atelier", 1, 0)


def a_sale(
    *lines: SubmittedLine,
    method: PaymentMethod | None = PaymentMethod.CARD,
    shop: str = GARANCE.shop,
    module: str = "shop",
    shipping: Shipping | None = None,
    **changes: Any,
) -> Sale:
    """A sale of two notebooks unless lines are given."""
    key = secrets.token_hex(8)
    submitted: dict[str, Any] = {
        "shop": shop,
        "module": module,
        "idempotency_key": key,
        "source_reference": f"S-{key[:6]}",
        "submitted_at": datetime.now(UTC),
        "locale": "fr",
        "currency": "EUR",
        "payment": choice(method),
        "customer": Customer(name="Élodie Faure", email=f"elodie.{key}@example.org"),
        "shipping_address": HOME,
    }
    bought: Sequence[SubmittedLine] = lines or (notebooks(2),)
    return Sale(uuid7(), submission(lines=bought, shipping=shipping, **{**submitted, **changes}))


def choice(method: PaymentMethod | None) -> PaymentChoice | None:
    """How the customer pays; for a card Stripe has begun a payment."""
    if method is None:
        return None
    if method is PaymentMethod.CARD:
        intent = f"pi_{secrets.token_hex(12)}"
        return PaymentChoice(method=method, provider="stripe", provider_reference=intent)
    return PaymentChoice(method=method)
