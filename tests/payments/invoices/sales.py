"""Made-up sales for tests of invoices: several rates, discounts, currencies, buyers of many kinds."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from contracts.money import exponent
from contracts.orders.lifecycle import Buyer, OrderPlaced, PlacedLine
from contracts.payments.invoices import InvoicingSettings, VatRegime
from contracts.sale import (
    Address,
    ExtraLine,
    LineKind,
    Module,
    PaymentChoice,
    PaymentMethod,
    Shipping,
    Totals,
)
from services.payments.invoices.composing import Heading

PLACED_AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
RATES = (2000, 1000, 550, 210, 0)
BREST = Address(
    name="Jeanne Le Goff", street="3 quai Vauban", postal_code="29200", city="Brest", country="FR"
)
MUNICH = Address(name="Anna Huber", street="Talstraße 4", postal_code="80331", city="München", country="DE")
GENEVA = Address(name="Luc Favre", street="Rue du Lac 9", postal_code="1200", city="Genève", country="CH")
CONSUMER = Buyer(name="Jeanne Le Goff", email="jeanne@example.org")
FIRM = Buyer(
    name="Jeanne Le Goff", company="Le Goff & Fils", vat_number="FR83404833048", company_id="404833048"
)
GERMAN_FIRM = Buyer(name="Anna Huber", company="Huber GmbH", vat_number="DE811569869")


def settings(**changes: Any) -> InvoicingSettings:
    """The settings of a shop that may issue."""
    values = InvoicingSettings(
        is_on=True,
        name="Atelier Kerdrel",
        legal_form="SARL",
        capital="10 000 €",
        street="12 rue de la Soif",
        postal_code="35000",
        city="Rennes",
        email="bonjour@kerdrel.example",
        siret="732 829 320 00074",
        registration="RCS Rennes",
        vat_number="FR44732829320",
        late_penalty="trois fois le taux d’intérêt légal",
        early_discount="néant",
        iban="FR76 3000 6000 0112 3456 7890 189",
        exemption_reason="Exonération de TVA, art. 261-4-4° du CGI",
    )
    return values.model_copy(update=changes)


def heading(number: str = "F2026-00042", index: int = 42) -> Heading:
    """The heading of a document issued the day after the sale."""
    return Heading(UUID(int=index), number, date(2026, 11, 29), None)


def line(
    total_minor: int, vat_rate: int = 2000, *, number: int = 1, quantity: int = 1, **more: Any
) -> PlacedLine:
    """A line of goods."""
    values = {
        "line": number,
        "kind": LineKind.SHIP,
        "description": f"Marinière {number}",
        "quantity": quantity,
        "unit_price_minor": (total_minor + more.get("discount_minor", 0)) // quantity,
        "total_minor": total_minor,
        "vat_rate": vat_rate,
        **more,
    }
    return PlacedLine.model_validate(values)


def placed(lines: Sequence[PlacedLine], **changes: Any) -> OrderPlaced:
    """An order of these lines; its tax follows from the rates unless `tax_minor` is given."""
    shipping, extras = changes.get("shipping"), changes.get("extra_lines", [])
    includes_tax = changes.get("prices_include_tax", True)
    parts = [(one.total_minor, one.vat_rate) for one in lines]
    parts += [(shipping.amount_minor, shipping.vat_rate)] if shipping else []
    parts += [(one.amount_minor, one.vat_rate) for one in extras]
    exact = sum((Fraction(a * r, 10_000 + r if includes_tax else 10_000) for a, r in parts), Fraction(0))
    tax = changes.pop("tax_minor", round(exact))
    total = sum(amount for amount, _ in parts) + (0 if includes_tax else tax)
    values: dict[str, Any] = {
        "shop": "atelier",
        "order_id": UUID(int=7),
        "code": "K7F3-QD9M",
        "module": Module.SHOP,
        "placed_at": PLACED_AT,
        "locale": "fr-FR",
        "currency": "EUR",
        "payment": PaymentChoice(method=PaymentMethod.CARD),
        "customer": CONSUMER,
        "billing_address": BREST,
        "shipping_address": BREST,
        "lines": list(lines),
        "totals": Totals(
            lines_minor=sum(one.total_minor for one in lines),
            shipping_minor=shipping.amount_minor if shipping else 0,
            extras_minor=sum(one.amount_minor for one in extras),
            tax_minor=tax,
            total_minor=total,
        ),
        **changes,
    }
    return OrderPlaced.model_validate(values)


def made_up(seed: int) -> tuple[OrderPlaced, InvoicingSettings]:
    """A sale and the shop's settings, always the same for one seed."""
    chance = random.Random(seed)
    shop = settings(
        vat_regime=VatRegime.FRANCHISE if seed % 7 == 3 else VatRegime.NORMAL,
        vat_number="" if seed % 14 == 3 else "FR44732829320",
        vat_on_debits=seed % 5 == 0,
        trade_name="Kerdrel" if seed % 4 == 0 else "",
        exemption_reason="" if seed % 6 == 1 else "Exonération de TVA, art. 261-4-4° du CGI",
        payment_days=chance.choice((0, 30)),
    )
    exempt = shop.vat_regime is VatRegime.FRANCHISE
    currency = chance.choice(("EUR", "EUR", "EUR", "CHF", "JPY"))
    unit = 10 ** exponent(currency)
    place, buyer = chance.choice(
        ((BREST, CONSUMER), (BREST, FIRM), (MUNICH, GERMAN_FIRM), (GENEVA, CONSUMER))
    )
    abroad = place is not BREST

    def rate() -> int:
        return 0 if exempt or abroad else chance.choice(RATES)

    lines = []
    for number in range(1, chance.randint(1, 8) + 1):
        quantity, price = chance.randint(1, 12), chance.randint(1, 300 * unit)
        discount = chance.choice((0, 0, quantity * price // 10))
        lines.append(
            line(
                quantity * price - discount,
                rate(),
                number=number,
                quantity=quantity,
                discount_minor=discount,
                unit_price_minor=price,
                sku=f"SKU-{number}" if number % 2 else None,
                options={"Taille": "M"} if number % 3 == 0 else {},
            )
        )
    whole = sum(one.total_minor for one in lines)
    most = max(lines, key=lambda one: one.total_minor)
    extras = [ExtraLine(label="Remise", amount_minor=-(most.total_minor // 20), vat_rate=most.vat_rate)]
    shipping = Shipping(
        label="Colissimo", amount_minor=chance.randint(1, 9 * unit), vat_rate=0 if exempt or abroad else 2000
    )
    return (
        placed(
            lines,
            currency=currency,
            prices_include_tax=chance.random() < 0.7,
            locale=chance.choice(("fr-FR", "en-GB")),
            customer=buyer,
            billing_address=place,
            shipping_address=chance.choice((place, None)),
            shipping=chance.choice((None, shipping)),
            extra_lines=extras if seed % 3 == 0 and whole else [],
            payment=PaymentChoice(method=chance.choice(list(PaymentMethod)[:6])),
        ),
        shop,
    )
