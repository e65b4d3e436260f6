"""What a shop chose, and what is forgotten because of it."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.chassis.testing import Desk
from services.orders.order.intake import forgetting
from services.orders.order.intake.forgetting import forget_due
from services.orders.order.shop.settings import (
    Carrier,
    CarrierUnknown,
    SettingUnusable,
    ShopSettings,
    change_settings,
    put_carrier,
    remove_carrier,
    settings_from,
    settings_of,
)
from tests.builders.submissions import SHOP, a_checkout, a_sale
from tests.conftest import Desks
from tests.orders.builders import a_life

COLISSIMO = "https://suivi.example.org/{number}"


async def change(desk: Desk, **changes: Any) -> ShopSettings:
    """Have a person choose."""
    async with desk.unit() as unit:
        return await change_settings(unit, SHOP, changes, "lea")


async def settings_now(desk: Desk, shop: str = SHOP) -> ShopSettings:
    """What this process tells."""
    async with desk.hub.acquire() as connection:
        return await settings_of.get(connection, desk.hub.owner, shop)


async def test_choices_stay_and_the_rest_has_its_default(desks: Desks) -> None:
    desk = await desks("orders")
    assert await settings_now(desk) == ShopSettings()
    chosen = await change(desk, checkout_minutes=10, notifies_customer=True, keeps_ip_days=None)
    assert (
        await settings_now(desk)
        == chosen
        == ShopSettings(checkout_minutes=10, notifies_customer=True, keeps_ip_days=None)
    )
    assert await settings_now(desk, "atelier") == ShopSettings()
    rows = await desk.fetch("SELECT key, changed_by FROM shop_setting ORDER BY key")
    assert [tuple(row) for row in rows] == [
        ("checkout_minutes", "lea"),
        ("keeps_ip_days", "lea"),
        ("notifies_customer", "lea"),
    ]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"checkout_minutes": 0}, "checkout_minutes"),
        ({"checkout_minutes": "5"}, "checkout_minutes"),
        ({"unheard_of": 1}, "unheard_of"),
        ({"notifies_customer": "yes"}, "notifies_customer"),
        ({"carriers": [{"name": "A"}, {"name": "á"}]}, "carriers"),
        ({"carriers": [{"name": "A", "tracking_url": "https://x.example/"}]}, "tracking_url"),
        ({"carriers": [{"name": "A", "tracking_url": "javascript:{number}"}]}, "tracking_url"),
        ({"carriers": [{"name": "A", "tracking_url": "https://x.example/{number}{0}"}]}, "tracking_url"),
    ],
)
async def test_a_choice_that_makes_no_sense_is_named_and_nothing_changes(
    desks: Desks, changes: dict[str, Any], named: str
) -> None:
    desk = await desks("orders")
    with pytest.raises(SettingUnusable, match=named):
        await change(desk, **{"completes_alone": False, **changes})
    assert await desk.fetchval("SELECT count(*) FROM shop_setting") == 0


@given(
    st.dictionaries(
        st.sampled_from([*ShopSettings.model_fields, "unheard_of"]), st.none() | st.text() | st.integers()
    )
)
def test_any_row_is_read(values: dict[str, Any]) -> None:
    assert isinstance(settings_from(values), ShopSettings)


async def test_carriers_are_added_renamed_and_removed(desks: Desks) -> None:
    desk = await desks("orders")
    async with desk.unit() as unit:
        await put_carrier(unit, SHOP, "Colissimo", None, "lea")
    async with desk.unit() as unit:
        await put_carrier(unit, SHOP, "COLISSIMO", COLISSIMO, "lea")
        await put_carrier(unit, SHOP, "DHL", None, "lea")
        settings = await put_carrier(unit, SHOP, "Dhl Express", None, "lea", renames="dhl")
    assert [carrier.name for carrier in settings.carriers] == ["COLISSIMO", "Dhl Express"]
    colissimo = settings.carrier("colissimo")
    assert colissimo is not None
    assert colissimo.follow("6A 12/3") == "https://suivi.example.org/6A%2012%2F3"
    assert Carrier(name="x").follow("1") is colissimo.follow(None) is None
    async with desk.unit() as unit:
        settings = await remove_carrier(unit, SHOP, "colissimo", "lea")
        with pytest.raises(CarrierUnknown):
            await remove_carrier(unit, SHOP, "colissimo", "lea")
    assert [carrier.name for carrier in settings.carriers] == ["Dhl Express"]


@pytest.mark.parametrize(
    ("carrier", "label", "chosen"),
    [
        ("colissimo", "Point relais", "Colissimo"),
        ("Mondial Relay", "Point relais", "Mondial Relay"),
        (None, "COLISSIMO – à domicile", "Colissimo"),
        (None, "La Poste Lettre suivie", "La Poste Lettre suivie"),
        (None, "Colissimosphère", ""),
        (None, "Point relais", ""),
        (None, None, ""),
    ],
)
def test_the_carrier_a_customer_chose_is_never_replaced_by_another(
    carrier: str | None, label: str | None, chosen: str
) -> None:
    names = ("La Poste", "Colissimo", "La Poste Lettre suivie")
    settings = ShopSettings(carriers=tuple(Carrier(name=name) for name in names))
    assert settings.carrier_chosen(carrier, label) == chosen
    only = ShopSettings(carriers=(Carrier(name="La Poste"),))
    assert only.carrier_chosen(None, "Livraison") == "La Poste"
    assert only.carrier_chosen("DHL", None) == "DHL"


def test_a_tracking_page_may_request_the_postal_code() -> None:
    relay = Carrier(name="Relais", tracking_url="https://r.example/?n={number}&cp={postcode}")
    assert relay.follow("12345678", " 44 000") == "https://r.example/?n=12345678&cp=44000"
    assert relay.follow("12345678", "BT1 5GS/&") == "https://r.example/?n=12345678&cp=BT15GS%2F%26"
    assert relay.follow("12345678") is relay.follow("12345678", " ") is relay.follow(" ", "44000") is None
    for url in ("https://r.example/{postcode}", "https://r.example/{number}{postcode}{postcode}"):
        with pytest.raises(ValidationError):
            Carrier(name="Relais", tracking_url=url)


async def test_two_people_add_a_carrier_at_once(desks: Desks) -> None:
    desk = await desks("orders")

    async def add(name: str) -> None:
        async with desk.unit() as unit:
            await put_carrier(unit, SHOP, name, None, "lea")

    await asyncio.gather(*(add(f"Carrier {number}") for number in range(6)))
    assert len((await settings_now(desk)).carriers) == 6


async def test_a_shop_may_complete_its_orders_by_hand(desks: Desks) -> None:
    desk = await desks("orders")
    await change(desk, completes_alone=False)
    life = await a_life(desk)
    for fact in (life.balance(2, received=life.total), life.packed(), life.dispatched(), life.delivered()):
        await desk.deliver(fact)
    assert await desk.fetchval("SELECT state FROM orders") == "processing"


async def bodies(desk: Desk, table: str) -> list[dict[str, Any]]:
    """The customers of the sales as they were submitted, the oldest first."""
    at = "received_at" if table == "submission" else "refused_at"
    rows = await desk.fetch(f"SELECT body FROM {table} ORDER BY {at}")  # noqa: S608
    return [json.loads(row["body"]) for row in rows]


async def age(desk: Desk, days: int) -> None:
    """Let all sales be so much older."""
    for table, at in (("submission", "received_at"), ("refusal", "refused_at")):
        await desk.fetch(f"UPDATE {table} SET {at} = {at} - $1::interval", timedelta(days=days))  # noqa: S608


async def test_ip_address_and_browser_are_deleted_in_time_and_nothing_else(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 2)
    desk = await desks("orders")
    customer = {"name": "Zoé", "email": "zoe@client.example", "ip_address": "192.0.2.7", "browser": "Mozilla"}
    in_note = 'he wrote "browser": \\u0000 and "ip_address"'
    for number in range(5):
        await desk.deliver(a_sale(customer=customer, note=in_note, source_reference=f"W-{number}"))
    await desk.deliver(a_sale(customer=customer, payment=None))
    before = await bodies(desk, "submission")
    while await forget_due(desk.hub):
        pass
    assert await bodies(desk, "submission") == before
    await age(desk, 91)
    await desk.deliver(a_sale(customer=customer))
    rounds = 1
    while await forget_due(desk.hub):
        rounds += 1
    assert rounds >= 3
    *old, new = await bodies(desk, "submission")
    kept = {"name": "Zoé", "email": "zoe@client.example"}
    assert [body["customer"] for body in old] == [kept] * 5
    assert [{**body, "customer": customer} for body in old] == before
    assert new["customer"]["ip_address"] == "192.0.2.7"
    assert [body["customer"] for body in await bodies(desk, "refusal")] == [kept]
    assert await desk.fetchval("SELECT count(*) FROM forgotten") == 2


async def test_checkouts_that_were_never_placed_are_erased_too(desks: Desks) -> None:
    desk = await desks("orders")
    await desk.deliver(a_checkout(), user_id="storefront.maison.shop")
    await desk.fetch("UPDATE checkout SET opened_at = opened_at - interval '91 days'")
    assert "192.0.2.7" in await desk.fetchval("SELECT body::text FROM checkout")
    await forget_due(desk.hub)
    body = json.loads(await desk.fetchval("SELECT body FROM checkout"))
    assert body["customer"] == {"name": "Zoé Martin", "email": "zoe@client.example"}


async def test_a_shop_may_keep_them(desks: Desks) -> None:
    desk = await desks("orders")
    await change(desk, keeps_ip_days=None)
    await desk.deliver(a_sale())
    await age(desk, 4000)
    assert await forget_due(desk.hub) is False
    assert (await bodies(desk, "submission"))[0]["customer"]["ip_address"] == "192.0.2.7"
