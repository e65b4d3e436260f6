"""Sample sales; each has a key, a mail address and a payment of its own."""

import secrets
from datetime import UTC, datetime
from typing import Any

from contracts.envelope import uuid7
from contracts.sale import Address, Customer, LineKind, PaymentMethod, Shipping, SubmittedLine
from deploy.demo.sales.sale import Sale
from deploy.samples.baskets import Basket
from deploy.samples.orders import choice, submitted_order
from deploy.samples.submissions import line

NOTEBOOK = "JOURNEY-NOTEBOOK"
INK = "JOURNEY-INK"
PLENTY = 1_000_000
CHANCE = secrets.SystemRandom()
HOME = Address(name="Élodie Faure", street="3 rue Basse", postal_code="44000", city="Nantes", country="FR")


def notebooks(quantity: int, sku: str = NOTEBOOK) -> SubmittedLine:
    """Return a line of notebooks at 12.50."""
    return line(LineKind.SHIP, "Carnet cousu A5", quantity, 1250, vat_rate=2000, sku=sku)


def inks(quantity: int) -> SubmittedLine:
    """Return a line of bottles of ink at 9.80."""
    return line(LineKind.SHIP, "Encre sépia, 30 ml", quantity, 980, vat_rate=2000, sku=INK)


def engraving() -> SubmittedLine:
    """Return a line of a service (nothing to ship) at 18.00."""
    return line(LineKind.SERVICE, "Dorure d’initiales", 1, 1800, vat_rate=2000)


def open_day() -> SubmittedLine:
    """Return a line of a free ticket."""
    return line(LineKind.TICKET, "Portes ouvertes de l’atelier", 1, 0)


def a_sale(
    *lines: SubmittedLine,
    method: PaymentMethod | None = PaymentMethod.CARD,
    shipping: Shipping | None = None,
    locale: str = "fr",
    **changes: Any,
) -> Sale:
    """Return a sale, of two notebooks unless lines are given."""
    key = secrets.token_hex(8)
    fields: dict[str, Any] = {
        "idempotency_key": key,
        "source_reference": f"S-{key[:6]}",
        "payment": choice(CHANCE, method) if method else None,
        "customer": Customer(name="Élodie Faure", email=f"elodie.{key}@example.org"),
        "billing_address": None,
        "shipping_address": HOME,
    }
    basket = Basket(lines or (notebooks(2),), shipping)
    return Sale(
        uuid7(),
        submitted_order(CHANCE, 1, datetime.now(UTC), basket=basket, locale=locale, **{**fields, **changes}),
    )
