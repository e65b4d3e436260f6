"""The generator of made-up orders: a customer, a basket, a payment, and totals that add up.

The same random numbers give the same order. Demo, seed, bench and tests all make theirs here and replace what they
care about.
"""

import string
from collections.abc import Mapping
from datetime import datetime
from random import Random
from typing import Any

from contracts.sale import Module, PaymentChoice, PaymentMethod
from contracts.storefront import OrderSubmitted
from deploy.samples.baskets import FILL, Basket
from deploy.samples.merchants import GARANCE
from deploy.samples.people import address, customer
from deploy.samples.submissions import submission, totals

LOCALES = {"fr": 60, "fr-FR": 15, "en": 25}
"""Languages of customers, by weight."""


def submitted_order(
    chance: Random,
    number: int,
    submitted_at: datetime,
    *,
    module: Module = Module.SHOP,
    basket: Basket | None = None,
    locale: str | None = None,
    methods: Mapping[PaymentMethod, int] | None = None,
    **changes: Any,
) -> OrderSubmitted:
    """Return the order of the customer with this number, submitted at `submitted_at` by this module.

    `basket` and `locale` are drawn when not given; `methods`: payment methods by weight, cards alone when not given.
    `changes` replace fields of the message; totals follow from the basket.
    """
    locale = locale or chance.choices(list(LOCALES), list(LOCALES.values()))[0]
    basket = basket or FILL[module](chance, locale, submitted_at)
    buyer = customer(chance, number, locale)
    home = address(chance, buyer, locale)
    fields: dict[str, Any] = {
        "shop": GARANCE.shop,
        "module": module,
        "idempotency_key": f"{module}-{number:05d}",
        "source_reference": f"{module[:2].upper()}{number:06d}",
        "locale": locale,
        "currency": "EUR",
        "payment": payment(chance, basket, methods or {PaymentMethod.CARD: 1}),
        "customer": buyer,
        "billing_address": home,
        "shipping_address": home if basket.shipping else None,
    }
    return submission(
        lines=basket.lines,
        shipping=basket.shipping,
        extra_lines=basket.extra_lines,
        submitted_at=submitted_at,
        **{**fields, **changes},
    )


def payment(chance: Random, basket: Basket, methods: Mapping[PaymentMethod, int]) -> PaymentChoice:
    """Return how a basket is paid: by one of the methods, or as free when it costs nothing."""
    if not totals(basket.lines, basket.shipping, basket.extra_lines).total_minor:
        return PaymentChoice(method=PaymentMethod.FREE)
    return choice(chance, chance.choices(list(methods), list(methods.values()))[0])


def choice(chance: Random, method: PaymentMethod) -> PaymentChoice:
    """Return the payment by this method; for a card or PayPal the storefront has begun one at its provider."""
    if method is PaymentMethod.CARD:
        return PaymentChoice(method=method, provider="stripe", provider_reference=intent(chance))
    if method is PaymentMethod.PAYPAL:
        return PaymentChoice(method=method, provider="paypal", provider_reference=paypal_order(chance))
    return PaymentChoice(method=method)


def intent(chance: Random) -> str:
    """Return the id of a Stripe payment intent."""
    return f"pi_{chance.getrandbits(96):024x}"


def paypal_order(chance: Random) -> str:
    """Return the id of an order at PayPal."""
    return "".join(chance.choices(string.ascii_uppercase + string.digits, k=17))
