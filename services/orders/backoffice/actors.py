"""Who did something, in words: a person by their login, services and storefronts by what they are to the staff."""

from contracts.catalogue import SERVICES, STOREFRONT
from services.orders.backoffice.statuses import module_words
from services.orders.backoffice.translating import gettext

NAMES = {"stripe": "Stripe", "paypal": "PayPal"}


def who(actor: str | None) -> str:
    """`storefront.maison.shop` is the shop's module, a service nobody in particular, `stripe` Stripe; others as is."""
    if not actor:
        return ""
    if actor in SERVICES:
        return gettext("by itself")
    sender, _, rest = actor.partition(".")
    if sender == STOREFRONT and rest:
        module = rest.rpartition(".")[2]
        return module_words().get(module, module)
    return NAMES.get(actor, actor)
