"""Every order's kind is in the dictionary, by any writer and however many wrote at once; facets and words follow."""

import asyncio
import random
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from contracts.sale import PaymentMethod
from services.orders.listing.filters import Filters
from services.orders.listing.finder.finder import Finder
from services.orders.listing.finder.kinds import Facet, fitting
from services.orders.listing.words import Tab
from services.orders.order.attention import STOCK_MISSING
from services.orders.order.search.folding import fold
from services.orders.order.search.indexing import index_due, note_changed
from tests.builders.submissions import ADDRESS, SHOP, a_line, a_sale, paid_by
from tests.conftest import Desks, FreshDatabase
from tests.orders.builders import a_life
from tests.orders.listing.random_orders import PARIS, TAGS, insert_rows, random_row

UNKNOWN = """select count(*) from orders o where not exists (
    select from order_kind k where k.shop = o.shop and k.kind_id = o.kind_id)"""
STRAY_FACETS = """select count(*) from order_facet f join orders o on o.order_id = f.order_id and o.shop = f.shop
    where (f.kind_id, f.placed_at, f.total_minor) is distinct from (o.kind_id, o.placed_at, o.total_minor)"""


async def test_many_writers_at_once_leave_a_whole_dictionary(fresh_database: FreshDatabase) -> None:
    url = await fresh_database("orders")
    rows = [random_row(random.Random(number % 40), number) for number in range(200)]
    for number, row in enumerate(rows):
        row["order_id"] = UUID(int=number + 1)

    async def write(part: list[dict[str, Any]]) -> None:
        connection = await asyncpg.connect(url)
        try:
            for start in range(0, len(part), 5):
                async with connection.transaction():
                    await insert_rows(connection, part[start : start + 5])
                    await connection.execute(
                        "update orders set archived_at = now() where order_id = $1", part[start]["order_id"]
                    )
        finally:
            await connection.close()

    await asyncio.gather(*(write(rows[writer::4]) for writer in range(4)))
    connection = await asyncpg.connect(url)
    assert await connection.fetchval(UNKNOWN) == 0
    assert await connection.fetchval("select count(*) from order_kind") > 20
    await connection.close()


async def test_a_kind_that_another_process_met_first_is_listed(desks: Desks) -> None:
    desk = await desks("orders")
    finder = Finder()
    async with desk.hub.acquire() as connection:
        assert (await finder.page(connection, SHOP, Filters(), PARIS)).order_ids == ()
        life = await a_life(desk)
        assert (await finder.page(connection, SHOP, Filters(), PARIS)).order_ids == (life.order_id,)
        await desk.deliver(life.balance(1, received=life.total))
        for tab, expected in ((Tab.TO_PROCESS, 1), (Tab.TO_COLLECT, 0), (Tab.TO_PACK, 1), (Tab.TO_SHIP, 0)):
            assert (await finder.count(connection, SHOP, Filters(tab=tab), PARIS)).number == expected
        for message, expected in ((life.packed(), 1), (life.dispatched(), 0)):
            await desk.deliver(message)
            assert (
                await finder.count(connection, SHOP, Filters(tab=Tab.TO_PROCESS), PARIS)
            ).number == expected
        by_carrier = await finder.page(connection, SHOP, Filters(carrier=["Colissimo", "DHL"]), PARIS)
        assert by_carrier.order_ids == (life.order_id,)
        assert (await finder.count(connection, SHOP, Filters(carrier=["DHL"]), PARIS)).number == 0


async def test_facets_follow_their_order(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    add = "insert into order_tag (shop, order_id, tag_id, added_by, added_at) values ($1, $2, $3, 'a', now())"
    await desk.hub.pool.execute(add, SHOP, life.order_id, TAGS[0])
    await desk.deliver(life.balance(1, received=life.total))
    assert await desk.fetchval(STRAY_FACETS) == 0
    async with desk.hub.acquire() as connection:
        tagged = Filters(tag=[TAGS[0]], tab=Tab.TO_PACK)
        assert (await Finder().count(connection, SHOP, tagged, PARIS)).number == 1
    await desk.hub.pool.execute("update order_facet set kind_id = 0")
    await note_changed(desk.hub.pool, SHOP, [life.order_id])
    assert await index_due(desk.hub) is False
    assert await desk.fetchval(STRAY_FACETS) == 0
    await desk.hub.pool.execute("delete from order_tag")
    assert await desk.fetchval("select count(*) from order_facet") == 0


async def test_words_of_a_life_are_found_once_the_worker_looked(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(
        desk, customer={"name": "Zoé Œuvrard", "email": "Zoe@Client.example", "phone": "+33 6 12 34 56 78"}
    )
    other = await desk.deliver(
        a_sale(
            customer={"name": "Bob", "email": "bob@client.example"},
            shipping_address={**ADDRESS, "name": "Bob"},
        )
    )
    for message in (life.balance(1, received=life.total), life.packed(), life.dispatched()):
        await desk.deliver(message)
    await index_due(desk.hub)
    assert await desk.fetchval("select count(*) from order_search_due") == 0
    finder, found = Finder(), {}
    requested = [
        "zoe",
        "oeuvr ZOÉ",
        "zoe@client.example",
        "06 12 34 56 78",
        "0033612345678",
        "mug-bleu",
        "6a1234",
        "34567890",
    ]
    async with desk.hub.acquire() as connection:
        for text in [
            *requested,
            life.code,
            life.code.replace("-", "").lower(),
            "bob",
            "client.example",
            "%",
            "zoe bob",
        ]:
            found[text] = (await finder.page(connection, SHOP, Filters(q=text), PARIS)).order_ids
    assert {text: ids for text, ids in found.items() if ids != (life.order_id,)} == {
        "bob": (other.envelope.id,),
        "client.example": tuple(sorted((life.order_id, other.envelope.id), reverse=True)),
        "mug-bleu": tuple(sorted((life.order_id, other.envelope.id), reverse=True)),
        "%": (),
        "zoe bob": (),
    }


async def test_everybody_and_everything_of_an_order_is_found(desks: Desks) -> None:
    desk = await desks("orders")
    recipient = {
        "name": "Berthe Empfängerin",
        "street": "4 quai de la Fosse",
        "street_2": "Bâtiment Hélios",
        "postal_code": "44100",
        "city": "Saint\u2010Herblain",
        "country": "FR",
        "phone": "02 40 11 22 33",
    }
    payer = {**ADDRESS, "name": "Compta Tournesol", "city": "Rennes", "postal_code": "35000"}
    life = await a_life(
        desk,
        a_line(description="Nappe brodée à la main", sku="NAP-7"),
        customer={"name": "Zoé", "email": "zoe@client.example", "company": "Fabrique Tournesol"},
        shipping_address=recipient,
        billing_address=payer,
        payment=paid_by("cheque"),
    )
    paid = life.paid()
    cheque = {"method": PaymentMethod.CHEQUE, "provider": None, "provider_reference": None}
    entries = [entry.model_copy(update={**cheque, "reference": "CHQ 0012345"}) for entry in paid.entries]
    parcel = life.dispatched().model_copy(update={"tracking_number": "1Z 5R8 939 03 5756 7127"})
    for message in (paid.model_copy(update={"entries": entries}), life.packed(), parcel):
        await desk.deliver(message)
    await desk.deliver(a_sale(customer={"name": "Bob", "email": "bob@client.example"}))
    await index_due(desk.hub)
    requested = [
        "Berthe Empfangerin",
        "fabrique tournesol",
        "quai de la fosse",
        "helios",
        "saint herblain",
        "44100",
    ]
    requested += [
        "Saint-Herblain",
        "0240112233",
        "+33 2 40 11 22 33",
        "compta",
        "rennes",
        "nappe brodee",
        "nap7",
    ]
    requested += ["CHQ0012345", "0012345", "1Z5R89390357567127", "1z 5r8 93903 5756 7127"]
    async with desk.hub.acquire() as connection:
        for text in requested:
            found = await Finder().page(connection, SHOP, Filters(q=text), PARIS)
            assert found.order_ids == (life.order_id,), text


async def test_a_code_is_an_exact_hit_however_it_is_spaced(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    parcel = life.dispatched().model_copy(update={"tracking_number": "1Z 5R8 939 03 5756 7127"})
    for message in (life.paid(), life.packed(), parcel):
        await desk.deliver(message)
    async with desk.hub.acquire() as connection:  # the worker has not looked yet
        for text in (
            "1z5r89390357567127",
            "1Z-5R8-939-03 5756 7127",
            "pi_1",
            life.code.lower(),
            "zoe@client.example",
        ):
            found = await Finder().page(connection, SHOP, Filters(q=text), PARIS)
            expected = () if text in ("pi_1", "zoe@client.example") else (life.order_id,)
            assert found.order_ids == expected, text
        await index_due(desk.hub)
        for text in ("pi_1", "zoe@client.example"):
            found = await Finder().page(connection, SHOP, Filters(q=text), PARIS)
            assert found.order_ids == (life.order_id,), text
        await connection.execute("update shipment set tracking_number = 'LP 00 12 FR'")
        await index_due(desk.hub)
        found = await Finder().page(connection, SHOP, Filters(q="lp0012"), PARIS)
        assert found.order_ids == (life.order_id,)


async def test_a_corrected_customer_is_found_by_the_new_name_alone(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk, shipping_address={**ADDRESS, "name": "Bob"})
    await index_due(desk.hub)
    await desk.hub.pool.execute("update orders set customer_name = 'Ann Byrne'")
    await index_due(desk.hub)
    (row,) = await desk.fetch("select document, order_id from order_search")
    assert row["order_id"] == life.order_id
    assert {"ann", "byrne", "annbyrne"} <= set(row["document"].split())
    assert "martin" not in row["document"]


async def test_an_order_that_is_deleted_is_found_nowhere(desks: Desks) -> None:
    desk = await desks("orders")
    await a_life(desk)
    await index_due(desk.hub)
    await desk.hub.pool.execute("delete from orders")
    assert await desk.fetchval("select count(*) from order_search") == 0


async def test_two_workers_never_write_at_once(desks: Desks) -> None:
    desk = await desks("orders")
    for _ in range(3):
        await a_life(desk)
    await asyncio.gather(*(index_due(desk.hub) for _ in range(4)))
    await index_due(desk.hub)
    assert await desk.fetchval("select count(*) from order_search") == 3


def test_folding_leaves_ascii_words() -> None:
    assert fold("  Élodie\tŒUVRÉ-Straße\u00a0ŁÓDŹ ") == "elodie oeuvre-strasse lodz"
    assert fold("Ελένη") == fold("ΕΛΈΝΗ")
    assert fold("Ελένη").isascii()


@pytest.mark.parametrize(
    ("changes", "is_to_process"),
    [
        ({}, True),
        ({"flags": (STOCK_MISSING,)}, False),
        ({"flags": (STOCK_MISSING,), "is_to_ship": True}, True),
        ({"is_to_pack": False, "is_to_ship": True, "state": "processing"}, True),
        ({"is_to_pack": False, "state": "processing"}, False),
        ({"is_to_pack": False}, False),
        ({"state": "awaiting_payment"}, False),
        ({"is_archived": True}, False),
    ],
)
def test_to_process_is_what_somebody_can_do_now(changes: dict[str, Any], is_to_process: bool) -> None:
    kind = Facet(
        1,
        "shop",
        "card",
        "EUR",
        "ready",
        "ready",
        "paid",
        "unfulfilled",
        (),
        (),
        False,
        True,
        False,
        True,
        False,
    )
    kind = replace(kind, **changes)
    assert fitting([kind], Filters(tab=Tab.TO_PROCESS)) == ([kind] if is_to_process else [])
