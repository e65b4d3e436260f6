"""Parcels pages: the queues, what is printed, what is done from there once, who may, and fulfillment away."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.envelope import uuid7
from contracts.orders.lifecycle import OrderPlaced
from contracts.storefront import OrderSubmitted
from services.orders.backoffice.access.permissions import Role
from tests.backoffice.browser import Backoffice, Browser, FormShown
from tests.backoffice.conftest import Backoffices
from tests.backoffice.warehouse import Warehouse, a_warehouse
from tests.builders.shipments import dispatch
from tests.conftest import Desks
from tests.orders.rest_client import patiently, sale, sent

HOSTILE = '<img src=x onerror="alert(1)">\u202e' + "W" * 120
VISIBLE = HOSTILE.replace("\u202e", "")
SKU = "<b>\"&'/\u202e" + "X" * 50


@pytest.fixture
async def warehouse(backoffices: Backoffices, desks: Desks) -> AsyncIterator[Warehouse]:
    """The back office and a fulfillment service with plenty of candles."""
    async with a_warehouse(backoffices, desks) as opened:
        await opened.count(("BOUGIE-01", "Rayon A", 4), ("BOUGIE-01", "Rayon B", 90), (SKU, "Cave", 50))
        yield opened


def _sale(sku: str = "BOUGIE-01", description: str = "Bougie", units: int = 3, **more: Any) -> OrderSubmitted:
    """A sale of so many candles alone."""
    line = {"kind": "ship", "description": description, "sku": sku, "quantity": units}
    priced = {**line, "unit_price_minor": 1500, "total_minor": 1500 * units}
    totals = {"lines_minor": 1500 * units, "shipping_minor": 500, "total_minor": 1500 * units + 500}
    return sale(**{"lines": [priced], "totals": totals, **more})


def _filled(form: FormShown, **typed: str) -> list[tuple[str, str]]:
    return [*(field for field in form.fields if field[0] not in typed), *typed.items()]


async def _packed(warehouse: Warehouse, **more: Any) -> tuple[OrderPlaced, UUID]:
    """An order of three candles of which two are in a parcel."""
    order, parcel_id = await warehouse.order(_sale(**more)), uuid7()
    await warehouse.pack(order, parcel_id, {1: 2})
    return order, parcel_id


async def _shipped(
    warehouse: Warehouse,
    carrier: str = "Colissimo",
    number: str = "8R 1",
    tracking_url: str | None = "https://suivi.example.org/8R1",
) -> OrderPlaced:
    """An order of which two candles are on their way."""
    order, parcel_id = await _packed(warehouse)
    tracking: dict[str, Any] = {"tracking_number": number or None, "tracking_url": tracking_url}
    await warehouse.do(dispatch(order, [parcel_id], carrier=carrier, **tracking, shipped_on="2026-11-20"))
    return order


@pytest.mark.rows("B11")
async def test_infos_follow_each_shipment_and_add_its_number(warehouse: Warehouse) -> None:
    browser = await warehouse.backoffice.signed_in(Role.FULFILMENT, language="fr")
    waiting, parcel_id = await warehouse.order(_sale()), uuid7()
    path = f"/orders/{waiting.code}/infos"
    assert "Suivi" not in (await browser.get(path)).words
    await warehouse.pack(waiting, parcel_id, {1: 2})
    packed = await browser.get(path)
    assert "1 colis est emballé et n’est pas encore parti." in packed.words
    assert f'href="/orders/{waiting.code}#shipments">Ajouter un numéro de suivi' in packed.text
    numbered = await browser.get(f"/orders/{(await _shipped(warehouse)).code}/infos")
    assert 'href="https://suivi.example.org/8R1"' in numbered.text
    assert "Ajouter un numéro de suivi" not in numbered.words
    bare = await _shipped(warehouse, number="", tracking_url=None)
    shipment = await warehouse.shelves.fetchval(
        "select shipment_id from shipment where order_id = $1", bare.order_id
    )
    shown, add = await browser.get(f"/orders/{bare.code}/infos"), f"/orders/{bare.code}?correct={shipment}"
    assert f'href="{add}#shipments">Ajouter un numéro de suivi' in shown.text
    opened = (await browser.get(add)).text.split('class="disclosure" open>')
    assert any("Ajouter un numéro de suivi" in form[:200] for form in opened[1:]), "the form stands open"
    looking = await warehouse.backoffice.signed_in(Role.ACCOUNTANT)
    assert "Add a tracking number" not in (await looking.get(f"/orders/{bare.code}/infos")).words


@pytest.mark.rows("A13", "A14")
async def test_an_order_goes_from_queue_to_queue(warehouse: Warehouse) -> None:
    order, browser = await warehouse.order(_sale()), await warehouse.backoffice.signed_in(Role.FULFILMENT)
    shown = await browser.get("/parcels")
    assert (shown.status, order.code in shown.words, "3 × Bougie" in shown.words) == (200, True, True)
    parcel_id = uuid7()
    await warehouse.pack(order, parcel_id, {1: 3})
    assert order.code not in (await browser.get("/parcels")).words
    shown = await browser.get("/parcels/to-ship")
    assert "Parcel 1" in shown.words
    assert "3 × Bougie" in shown.words
    path = f"/parcels/ship/{order.code}"
    page = await browser.get(path)
    fields = _filled(page.form(path), carrier="Colissimo", tracking_number="8R 77")
    done = await warehouse.carry_out(browser.post(path, fields))
    assert (done.status, done.headers["location"]) == (303, "/parcels/to-ship")
    assert order.code not in (await browser.get("/parcels/to-ship")).words.split(" shipped.")[-1]
    shown = await browser.get("/parcels/on-the-way")
    assert "8R 77" in shown.words
    path = shown.text.split('href="/parcels/deliver/')[1].split('"')[0]
    path = f"/parcels/deliver/{path}"
    fields = _filled((await browser.get(path)).form(path), proof="signature", proof_reference="Mme Martin")
    done = await warehouse.carry_out(browser.post(path, fields))
    assert (done.status, done.headers["location"]) == (303, "/parcels/on-the-way")
    assert (await browser.post(path, fields)).status == 303, "the back button"
    assert len(await sent(warehouse.backoffice.desk, 2)) == 2
    shown = await browser.get("/parcels/delivered")
    assert "Mme Martin" in shown.words
    assert "Nothing is on the way" in (await browser.get("/parcels/on-the-way")).words


async def test_ticked_orders_are_packed_or_shipped_together(warehouse: Warehouse) -> None:
    waiting, packed = await warehouse.order(_sale()), (await _packed(warehouse))[0]
    browser = await warehouse.backoffice.signed_in(Role.FULFILMENT)
    form = (await browser.get("/parcels")).form("/orders/pack")
    planned = await browser.post(form.action, [*form.fields, ("order", str(waiting.order_id))])
    assert (planned.status, planned.headers["location"][:13]) == (303, "/orders/runs/")
    form = (await browser.get("/parcels/to-ship")).form("/orders/ship")
    shown = await browser.post(form.action, [*form.fields, ("order", str(packed.order_id))])
    assert (shown.status, str(packed.order_id) in shown.text) == (200, True)
    assert dict(shown.form("/orders/ship").fields)["back"] == "/parcels/to-ship"


async def test_a_parcel_is_unpacked_once_and_a_refusal_is_reported(warehouse: Warehouse) -> None:
    order, parcel_id = await _packed(warehouse)
    browser = await warehouse.backoffice.signed_in(Role.FULFILMENT)
    path = f"/parcels/unpack/{order.code}/{parcel_id}"
    form = (await browser.get("/parcels/to-ship")).form(path)
    stale = (await browser.get("/parcels/to-ship")).form(path)
    done = await warehouse.carry_out(browser.post(path, form.fields))
    assert done.headers["location"] == "/parcels/to-ship"
    assert (await browser.post(path, form.fields)).status == 303
    assert "Everything packed has been shipped" in (await browser.get("/parcels/to-ship")).words
    assert (await warehouse.carry_out(browser.post(path, stale.fields))).status == 303, "already so"
    other, parcel_id = await _packed(warehouse)
    path = f"/parcels/unpack/{other.code}/{parcel_id}"
    form = (await browser.get("/parcels/to-ship")).form(path)
    await _leave(warehouse, other, parcel_id)
    refused = await warehouse.carry_out(browser.post(path, form.fields))
    assert (refused.status, "This parcel was already shipped." in refused.words) == (422, True)


async def _leave(
    warehouse: Warehouse, order: OrderPlaced, parcel_id: UUID, shipped_on: str = "2026-11-20"
) -> None:
    await warehouse.do(
        dispatch(order, [parcel_id], carrier="DPD", tracking_number=None, shipped_on=shipped_on)
    )


async def test_a_refused_shipment_keeps_what_was_typed(warehouse: Warehouse) -> None:
    order, _ = await _packed(warehouse)
    browser, path = await warehouse.backoffice.signed_in(), f"/parcels/ship/{order.code}"
    form = (await browser.get(path)).form(path)
    fields = _filled(form, carrier="Colissimo", tracking_number="8R", tracking_url="javascript:alert(1)")
    refused = await browser.post(path, fields)
    assert refused.status == 422
    kept = dict(refused.form(path).fields)
    assert (kept["tracking_number"], kept["tracking_url"]) == ("8R", "javascript:alert(1)")
    none_ticked = [field for field in _filled(form, carrier="Colissimo") if field[0] != "parcels"]
    unticked = await browser.post(path, none_ticked)
    above, _, below = unticked.words.partition("Tick at least one parcel.")
    assert "Correct the fields marked below." in above
    assert "Tick at least one parcel." not in below
    theirs = (await browser.get(f"/orders/{order.code}")).form(f"/orders/{order.code}/comment")
    await browser.post(f"/orders/{order.code}/comment", _filled(theirs, admin_comment="Attendre."))
    assert (await browser.post(path, _filled(form, carrier="Colissimo"))).status == 409
    assert await warehouse.backoffice.desk.fetchval("select count(*) from command") == 0


def _ahead(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


@pytest.mark.parametrize("page", ["order", "queue"])
async def test_the_days_of_a_shipment_are_refused_in_the_form_with_both_days(
    warehouse: Warehouse, page: str
) -> None:
    order, _ = await _packed(warehouse)
    browser = await warehouse.backoffice.signed_in(language="fr")
    of_order = f"/orders/{order.code}"
    shown, path = (
        (of_order, f"{of_order}/shipments") if page == "order" else (f"/parcels/ship/{order.code}",) * 2
    )
    form = (await browser.get(shown)).form(path)
    late = await browser.post(path, _filled(form, carrier="Colissimo", shipped_on=_ahead(5)))
    assert (late.status, "ce jour est à venir, nous sommes le" in late.words) == (422, True)
    early = _filled(form, carrier="Colissimo", shipped_on="2026-11-21", expected_on="2026-11-20")
    refused = await browser.post(path, early)
    message = "Livraison prévue le 20 novembre 2026, avant l’expédition du 21 novembre 2026."
    assert (refused.status, message in refused.words) == (422, True)
    assert refused.words.index("Corrigez ce qui est signalé ci-dessous.") < refused.words.index(message)
    kept = dict(refused.form(path).fields)
    assert (kept["shipped_on"], kept["expected_on"]) == ("2026-11-21", "2026-11-20")
    assert await warehouse.backoffice.desk.fetchval("select count(*) from command") == 0


@pytest.mark.parametrize("page", ["order", "queue"])
async def test_the_day_of_a_delivery_is_refused_in_the_form_with_both_days(
    warehouse: Warehouse, page: str
) -> None:
    order = await _shipped(warehouse)
    browser = await warehouse.backoffice.signed_in(language="fr")
    shipment = await warehouse.shelves.fetchval("select shipment_id from shipment")
    of_order = f"/orders/{order.code}"
    of_queue = f"/parcels/deliver/{order.code}/{shipment}"
    shown, path = (of_order, f"{of_order}/deliveries") if page == "order" else (of_queue, of_queue)
    form = (await browser.get(shown)).form(path)
    early = await browser.post(path, _filled(form, delivered_on="2026-11-19"))
    message = "Livré le 19 novembre 2026, avant l’expédition du 20 novembre 2026."
    assert (early.status, early.words.count(message)) == (422, 1)
    late = await browser.post(path, _filled(form, delivered_on=_ahead(5)))
    assert (late.status, "ce jour est à venir" in late.words) == (422, True)
    assert await warehouse.backoffice.desk.fetchval("select count(*) from command") == 0
    same = await warehouse.carry_out(browser.post(path, _filled(form, delivered_on="2026-11-20")))
    assert same.status == 303


async def test_of_many_deliveries_those_before_their_shipment_are_refused(warehouse: Warehouse) -> None:
    desk = warehouse.backoffice.desk
    early, late = await _shipped(warehouse), await _packed(warehouse)
    await _leave(warehouse, *late, shipped_on="2026-11-25")
    browser = await warehouse.backoffice.signed_in()
    rows = await desk.fetch("select shipment_id from shipment")
    path = "/parcels/deliveries"
    form = (await browser.get(f"{path}?" + "&".join(f"shipment={row[0]}" for row in rows))).form(path)
    ahead = await browser.post(path, [*_without(form, "delivered_on"), ("delivered_on", _ahead(5))])
    assert (ahead.status, "that day is in the future" in ahead.words) == (422, True)
    assert await desk.fetchval("select count(*) from command") == 0
    day = [*_without(form, "delivered_on"), ("delivered_on", "2026-11-22")]
    refused = await warehouse.carry_out(browser.post(path, day))
    assert refused.status == 422
    assert "1 delivery recorded. These were refused." in refused.words
    assert "Delivered on 22 November 2026, before it was shipped on 25 November 2026." in refused.words
    assert (late[0].code in refused.words, early.code in refused.words) == (True, False)
    assert await desk.fetchval("select count(*) from delivery") == 1


async def test_a_correction_that_changes_nothing_is_refused_and_written_to_nobody(
    warehouse: Warehouse,
) -> None:
    order = await _shipped(warehouse)
    browser = await warehouse.backoffice.signed_in(language="fr")
    page = f"/orders/{order.code}"
    path = f"{page}/correction"
    form = (await browser.get(page)).form(path)
    same = _filled(form, carrier="Colissimo", notify_customer="on")
    stored = "select count(*) from msg.event_log where type like '%shipment.updated%'"
    refused = await warehouse.carry_out(browser.post(path, same))
    assert (refused.status, "Rien à changer" in refused.words) == (422, True)
    assert await warehouse.shelves.fetchval(stored) == 0
    late = _filled(refused.form(path), carrier="Colissimo", shipped_on=_ahead(9))
    assert "ce jour est à venir" in (await browser.post(path, late)).words
    corrected = _filled(refused.form(path), carrier="Colissimo", tracking_number="8R 2", notify_customer="on")
    assert (await warehouse.carry_out(browser.post(path, corrected))).status == 303
    assert await warehouse.shelves.fetchval(stored) == 1


@pytest.mark.rows("B11", "B19")
async def test_shipments_are_found_by_carrier_and_by_text(warehouse: Warehouse) -> None:
    first = await _shipped(warehouse)
    second = await _shipped(warehouse, carrier=HOSTILE, number="ZX 99")
    browser = await warehouse.backoffice.signed_in()

    async def codes(path: str) -> set[str]:
        words = (await browser.get(path)).words
        return {order.code for order in (first, second) if order.code in words}

    assert await codes("/parcels/on-the-way") == {first.code, second.code}
    assert await codes("/parcels/on-the-way?carrier=Colissimo") == {first.code}
    assert await codes("/parcels/on-the-way?carrier=Nobody") == set()
    assert await codes(f"/parcels/on-the-way?q={second.code}") == {second.code}
    shown = await browser.get("/parcels/on-the-way")
    assert "<img src=x" not in shown.text
    assert HOSTILE in shown.words
    assert 'href="https://suivi.example.org/8R1"' in shown.text
    assert "No matches" in (await browser.get("/parcels/on-the-way?carrier=Nobody")).words
    assert (await browser.get("/parcels/on-the-way?after=nonsense")).status == 404
    assert await codes("/parcels") == {first.code, second.code}, "a unit of each is left to pack"


async def test_the_pick_list_sums_by_shelf_and_names_for_whom(warehouse: Warehouse) -> None:
    first, second = await warehouse.order(_sale()), await warehouse.order(_sale(units=2))
    hostile = await warehouse.order(_sale(sku=SKU, description=HOSTILE, units=1))
    short = await warehouse.order(_sale(sku="RIEN", description="Introuvable", units=1))
    browser = await warehouse.backoffice.signed_in(Role.FULFILMENT)
    shown = await browser.get("/parcels/pick-list")
    assert "6 units to pick" in shown.words
    assert "1 unit not in stock" in shown.words
    assert "<img" not in shown.text
    assert "<b>" not in shown.text
    for text in (SKU, VISIBLE, "Rayon A", "Rayon B", "Cave", "Introuvable", hostile.code, short.code):
        assert text in shown.words
    chosen = await browser.get(f"/parcels/pick-list?order={second.order_id}")
    assert "2 units to pick" in chosen.words
    assert second.code in chosen.words
    assert first.code not in chosen.words
    await warehouse.pack(second, uuid7(), {1: 2})
    assert "Nothing to pick" in (await browser.get(f"/parcels/pick-list?order={second.order_id}")).words
    assert "Nothing to pick" in (await browser.get("/parcels/pick-list?order=nonsense")).words
    whole = await browser.get("/parcels/pick-list?everything=on&query=tab%3Dto_pack")
    assert "4 units to pick" in whole.words, "two candles are packed meanwhile"
    many = "&".join(f"order={uuid7()}" for _ in range(199))
    full = await browser.get(f"/parcels/pick-list?order={first.order_id}&{many}")
    assert "1 order" in full.words
    assert "Only the first" not in full.words
    over = await browser.get(f"/parcels/pick-list?order={first.order_id}&{many}&order={uuid7()}")
    assert "Only the first 200 orders are shown here" in over.words
    stranger = await warehouse.backoffice.signed_in(shop="atelier")
    assert "Nothing to pick" in (await stranger.get(f"/parcels/pick-list?order={first.order_id}")).words


async def test_goods_without_a_sku_are_on_the_pick_list_each_line_by_itself(warehouse: Warehouse) -> None:
    lines = [line.model_copy(update={"sku": None}) for line in _sale(description="Carte").lines]
    order = await warehouse.order(_sale().model_copy(update={"lines": lines}))
    browser = await warehouse.backoffice.signed_in(Role.FULFILMENT)
    shown = await browser.get(f"/parcels/pick-list?order={order.order_id}")
    for text in ("3 units to pick", "Stock not tracked", "Carte", order.code):
        assert text in shown.words
    assert "not in stock" not in shown.words


async def test_a_packing_slip_speaks_the_customers_language_and_names_no_price(warehouse: Warehouse) -> None:
    address = {
        "name": HOSTILE[:150],
        "street": "2 Sea Road",
        "postal_code": "BN1",
        "city": "Brighton",
        "country": "GB",
    }
    english, parcel_id = await _packed(warehouse, locale="en-GB", shipping_address=address)
    french, _ = await _packed(warehouse, locale="fr")
    browser = await warehouse.backoffice.signed_in(Role.FULFILMENT, language="fr")
    shown = await browser.get(f"/parcels/packing-slips?order={english.order_id}")
    for text in ("Packing slip", "2 Sea Road", "Sent in another parcel", "1 × Bougie", VISIBLE[:100]):
        assert text in shown.words
    assert "<img" not in shown.text
    assert 'lang="en"' in shown.text
    assert not any(sign in shown.words for sign in ("€", "15,00", "15.00", "EUR"))
    one = await browser.get(f"/parcels/packing-slips?order={english.order_id}&parcel={parcel_id}")
    assert one.text.count("<article") == 1
    both = await browser.get("/parcels/packing-slips")
    assert both.text.count("<article") == 2
    assert "Bordereau de colis" in both.words
    assert french.code in both.words
    await _leave(warehouse, english, parcel_id)
    assert (await browser.get("/parcels/packing-slips")).text.count("<article") == 1
    again = await browser.get(f"/parcels/packing-slips?order={english.order_id}")
    assert "DPD" in again.words
    stranger = await warehouse.backoffice.signed_in(shop="atelier")
    path = f"/parcels/packing-slips?order={english.order_id}"
    assert "<article" not in (await stranger.get(path)).text


async def test_who_may_look_pack_and_ship(warehouse: Warehouse) -> None:
    order, parcel_id = await _packed(warehouse)
    accountant = await warehouse.backoffice.signed_in(Role.ACCOUNTANT)
    shown = await accountant.get("/parcels/to-ship")
    assert (shown.status, order.code in shown.words) == (200, True)
    assert not any(part in shown.text for part in ("/parcels/ship/", "/parcels/unpack/", "packing-slips"))
    for path in ("/parcels/pick-list", "/parcels/packing-slips", f"/parcels/ship/{order.code}"):
        assert (await accountant.get(path)).status == 403
    for path in (f"/parcels/ship/{order.code}", f"/parcels/unpack/{order.code}/{parcel_id}"):
        assert (await accountant.post(path, {"key": "key-12345678"})).status == 403
    stranger = await warehouse.backoffice.signed_in(shop="atelier")
    assert order.code not in (await stranger.get("/parcels/to-ship")).words
    assert (await stranger.get(f"/parcels/ship/{order.code}")).status == 404
    assert (await stranger.post(f"/parcels/unpack/{order.code}/{parcel_id}", {})).status == 404


async def test_without_fulfillment_the_queues_are_shown_and_the_papers_show_it(
    backoffice: Backoffice,
) -> None:
    browser: Browser = await backoffice.signed_in()
    assert "No orders yet" in (await browser.get("/parcels")).words
    for path in ("pick-list", "packing-slips"):
        shown = await browser.get(f"/parcels/{path}?order={uuid7()}")
        assert (shown.status, "not connected" in shown.words) == (200, True)


async def test_many_deliveries_are_noted_at_once_and_each_once(warehouse: Warehouse) -> None:
    desk = warehouse.backoffice.desk
    orders = [await _shipped(warehouse), await _shipped(warehouse)]
    browser = await warehouse.backoffice.signed_in(Role.FULFILMENT)
    shipments = [row["shipment_id"] for row in await desk.fetch("select shipment_id from shipment")]
    shown = await browser.get("/parcels/on-the-way")
    assert all(f'name="shipment" value="{one}"' in shown.text for one in shipments)
    chosen = "&".join(f"shipment={one}" for one in shipments)
    path = "/parcels/deliveries"
    shown = await browser.get(f"{path}?{chosen}")
    assert all(order.code in shown.words for order in orders)
    fields = [*_without(shown.form(path), "proof"), ("proof", "carrier_scan")]
    before = await desk.fetchval("select count(*) from command")
    waiting = patiently(browser.post(path, fields))
    commands = (await sent(desk, before + 2))[before:]
    for command_id, command in commands:
        await warehouse.do(command, id=command_id)
    done = await waiting
    assert (done.status, done.headers["location"]) == (303, "/parcels/on-the-way")
    assert "2 deliveries recorded." in (await browser.get("/parcels/on-the-way")).words
    assert (await browser.post(path, fields)).status == 303, "the back button"
    assert {command.proof for _, command in commands} == {"carrier_scan"}
    assert await desk.fetchval("select count(*) from command") == before + 2
    again = [*_without(shown.form(path), "key"), ("key", str(uuid7()))]
    waiting = patiently(browser.post(path, again))
    for command_id, command in (await sent(desk, before + 4))[before + 2 :]:
        await warehouse.do(command, id=command_id)
    refused = await waiting
    assert (refused.status, "This shipment was already delivered." in refused.words) == (422, True)
    assert (await browser.get(path)).status == 303, "none is chosen"
    accountant = await warehouse.backoffice.signed_in(Role.ACCOUNTANT)
    assert (await accountant.get(f"{path}?{chosen}")).status == 403


async def test_completing_an_order_can_note_the_delivery_of_its_parcels(warehouse: Warehouse) -> None:
    desk, parcel_id = warehouse.backoffice.desk, uuid7()
    order = await warehouse.order(_sale(units=2))
    await warehouse.pack(order, parcel_id, {1: 2})
    await _leave(warehouse, order, parcel_id)
    browser, page = await warehouse.backoffice.signed_in(Role.FULFILMENT), f"/orders/{order.code}"
    form = (await browser.get(page)).form(f"{page}/status")
    assert "delivered" not in dict(form.fields), "nothing is noted by accident"
    typed = {**dict(form.fields), "label": "completed", "admin_comment": "Le client a confirmé."}
    before = await desk.fetchval("select count(*) from command")
    waiting = patiently(browser.post(f"{page}/status", {**typed, "delivered": "on"}))
    ((command_id, command),) = (await sent(desk, before + 1))[before:]
    await warehouse.do(command, id=command_id)
    assert (await waiting).status == 303
    assert "Record delivery" not in (await browser.get(page)).words
    assert await desk.fetchval("select fulfilment_status from orders") == "delivered"


def _without(form: FormShown, name: str) -> list[tuple[str, str]]:
    return [field for field in form.fields if field[0] != name]
