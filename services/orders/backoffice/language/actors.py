"""Display names of actors: a user's own name, services and storefronts by their role for the staff."""

from contracts.catalogue import SERVICES, STOREFRONT
from services.orders.backoffice.language.statuses import module_words
from services.orders.backoffice.language.translating import gettext, page_locale

API = "api:"
"""Prefix of actors that are API tokens."""
NAMES = {"stripe": "Stripe", "paypal": "PayPal"}


def who(actor: str | None) -> str:
    """Return an actor's display name: `storefront.maison.shop` is the shop's module, a service has no name,
    `stripe` is Stripe, `api:erp` is the API token of this name, a login is the name of its user in the
    request's shop; any other value is returned as is.
    """
    if not actor:
        return ""
    if actor in SERVICES:
        return gettext("automatic")
    if actor.startswith(API):
        return gettext("%(name)s (API)", name=actor.removeprefix(API))
    sender, _, rest = actor.partition(".")
    if sender == STOREFRONT and rest:
        module = rest.rpartition(".")[2]
        return module_words().get(module, module)
    return NAMES.get(actor) or page_locale().people.get(actor, actor)
