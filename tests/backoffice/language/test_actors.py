"""Who did something, in words."""

import secrets
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from services.orders.backoffice.language.actors import who
from services.orders.backoffice.language.translating import PageLocale, using_locale
from services.orders.staff import commenting
from tests.backoffice.browser import Backoffice
from tests.orders.rest_client import place, sale


@pytest.mark.parametrize(
    ("actor", "words"),
    [
        ("fulfillment", "automatique"),
        ("stripe", "Stripe"),
        ("storefront.maison.price_table", "Tableau des tarifs"),
        ("storefront", "storefront"),
        ("api:erp", "erp (API)"),
        ("garance@example.org", "Garance Leroy"),
        ("gone@example.org", "gone@example.org"),
        (None, ""),
    ],
)
def test_services_and_storefronts_have_words_persons_their_name(actor: str | None, words: str) -> None:
    people = {"garance@example.org": "Garance Leroy"}
    with using_locale(PageLocale("fr", ZoneInfo("Europe/Paris"), datetime.now(UTC), people=people)):
        assert who(actor) == words


async def test_colleagues_are_shown_by_name_to_their_shop_alone(backoffice: Backoffice) -> None:
    placed = await place(backoffice.desk, sale(shop="maison"))
    logins = {
        name: await backoffice.hire(login=f"{secrets.token_hex(4)}@example.org", name=name)
        for name in ("Fanny Hamon", "Malik Benali")
    }
    twin = await backoffice.hire(login=f"{secrets.token_hex(4)}@example.org", name="Malik Benali")
    stranger = await backoffice.hire(shop="autre", login="strange@example.org", name="Secret Name")
    async with backoffice.desk.unit() as unit:
        for actor in (*logins.values(), twin, stranger):
            await commenting.comment(unit, "maison", placed.order_id, f"De {actor}", actor)
    browser = await backoffice.signed_in()
    words = (await browser.get(f"/orders/{placed.code}")).words
    assert "Fanny Hamon" in words
    assert f"Malik Benali ({twin})" in words, "two of one name are told apart"
    assert "Secret Name" not in words, "another shop's people stay its own"
