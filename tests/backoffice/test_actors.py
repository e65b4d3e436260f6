"""Who did something, in words."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from services.orders.backoffice.actors import who
from services.orders.backoffice.translating import Speech, speaking


@pytest.mark.parametrize(
    ("actor", "words"),
    [
        ("fulfillment", "automatique"),
        ("stripe", "Stripe"),
        ("storefront.maison.price_table", "Tableau des tarifs"),
        ("storefront", "storefront"),
        ("api:erp", "erp (API)"),
        ("garance@example.org", "garance@example.org"),
        (None, ""),
    ],
)
def test_services_and_storefronts_have_words_persons_keep_their_name(actor: str | None, words: str) -> None:
    with speaking(Speech("fr", ZoneInfo("Europe/Paris"), datetime.now(UTC))):
        assert who(actor) == words
