"""Two orders have the same kind exactly when they agree in everything that lists filter by, whatever is empty."""

import random
import shutil
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.databases import with_credentials
from deploy.local.parts import Postgres
from services.chassis.storage.migrating import migrate
from services.orders.listing.filters import Filters
from services.orders.listing.finder.finder import Finder
from services.orders.listing.words import Tab
from tests.builders.submissions import SHOP
from tests.conftest import Desks
from tests.orders.builders import a_life
from tests.orders.listing.random_orders import PARIS, insert_rows, random_row

MIGRATIONS = Path(__file__).parents[3] / "services/orders/order/migrations"
RENUMBERING = "20261128214501"
KIND_OF = (
    """select kind_of($1, $2, $3, $4, $5, $6, $7, $8, $9::text[], $10::text[], $11, $12, $13, $14, $15)"""
)
DIFFERING = """select count(*) from orders o left join order_kind k on k.shop = o.shop and k.kind_id = o.kind_id
    where k.kind_id is null
       or (k.module, k.payment_method, k.currency, k.state, k.label, k.payment_status, k.fulfilment_status, k.carriers,
           k.flags, k.is_archived, k.is_to_pack, k.is_to_ship, k.is_owed_back)
       <> (o.module, coalesce(o.payment_method, ''), o.currency, o.state, o.label, o.payment_status,
           o.fulfilment_status, o.carriers, o.flags, o.archived_at is not null, o.units_to_pack > 0,
           o.units_to_ship > 0, o.balance_minor < 0)"""

words = st.sampled_from(["", "a", "b", "true", "false", "0", "1", "2", "{}", "a\x1fb", "\x1f", 'a","b', "é"])
several = st.lists(words, max_size=3)
combinations = st.tuples(*[words] * 8, several, several, *[st.booleans()] * 5)


@pytest.fixture
async def desk(desks: Desks) -> Any:
    """Orders' own database."""
    return await desks("orders")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=combinations, data=st.data())
async def test_no_part_of_a_combination_is_lost(desk: Any, one: tuple[Any, ...], data: st.DataObject) -> None:
    changed = list(one)
    place = data.draw(st.integers(0, len(one) - 1))
    kind = words if place < 8 else several if place < 10 else st.booleans()
    changed[place] = data.draw(kind.filter(lambda value: value != one[place]))
    other = data.draw(st.one_of(st.just(tuple(changed)), combinations))
    async with desk.hub.acquire() as connection:
        numbers = [await connection.fetchval(KIND_OF, *each) for each in (one, other)]
    assert (numbers[0] == numbers[1]) == (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (([], []), ([], ["stock_missing"])),
        (([], ["disputed"]), ([], ["stock_missing"])),
        ((["DHL"], []), ([], ["DHL"])),
        ((["DHL"], ["a"]), (["DHL", "a"], [])),
        (([], [""]), ([""], [])),
        (([], ["a", "b"]), ([], ["b", "a"])),
    ],
)
async def test_flags_and_carriers_are_distinguished(
    desk: Any, one: tuple[list[str], list[str]], other: tuple[list[str], list[str]]
) -> None:
    rest = ("maison", "web", "card", "EUR", "ready", "ready", "paid", "unfulfilled")
    async with desk.hub.acquire() as connection:
        numbers = {
            await connection.fetchval(KIND_OF, *rest, *lists, False, False, False, False, False)
            for lists in (one, other)
        }
    assert len(numbers) == 2


async def test_an_order_is_among_the_problems_exactly_while_it_has_a_flag(desk: Any) -> None:
    finder, problems = Finder(), Filters(tab=Tab.PROBLEMS)
    flagged, plain = await a_life(desk), await a_life(desk)
    for first, second in ((flagged, plain), (plain, flagged)):
        await desk.hub.pool.execute("update orders set flags = '{}'")
        await desk.hub.pool.execute(
            "update orders set flags = '{stock_missing}' where order_id = $1", first.order_id
        )
        async with desk.hub.acquire() as connection:
            assert (await finder.page(connection, SHOP, problems, PARIS)).order_ids == (first.order_id,)
            assert (await finder.count(connection, SHOP, problems, PARIS)).number == 1
        assert await desk.fetchval(DIFFERING) == 0
        assert second.order_id != first.order_id


@pytest.fixture
async def earlier(postgres: Postgres, tmp_path: Path) -> Any:
    """A database of orders as it was before kinds were renumbered, with its URL and the later migrations apart."""
    admin = await asyncpg.connect(postgres.admin_url)
    name = f"earlier_{random.getrandbits(40):x}"
    await admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'planted'")
    await admin.execute(f"CREATE DATABASE {name} OWNER {name}")
    former = tmp_path / "migrations"
    former.mkdir()
    for file in MIGRATIONS.glob("*.sql"):
        if file.name[:14] < RENUMBERING:
            shutil.copy(file, former)
    url = with_credentials(postgres.admin_url, name, "planted")
    migrate(url, former)
    yield url
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.execute(f"DROP ROLE {name}")
    await admin.close()


async def test_orders_of_an_earlier_installation_get_their_kind_when_it_is_upgraded(earlier: str) -> None:
    chance = random.Random(1)
    rows = []
    for number in range(100):
        row = random_row(chance, number)
        for other, flags in enumerate(([], ["disputed"], ["stock_missing"])):
            own = {"order_id": UUID(int=chance.getrandbits(128)), "code": f"K{number}-{other}"}
            rows.append(
                {**row, **own, "idempotency_key": f"{number}/{other}", "carriers": [], "flags": flags}
            )
    connection = await asyncpg.connect(earlier)
    await insert_rows(connection, rows)
    await connection.executemany(
        """insert into order_tag (shop, order_id, tag_id, added_by, added_at)
           values ($1, $2, gen_random_uuid(), 'a', now())""",
        [(row["shop"], row["order_id"]) for row in rows[::3]],
    )
    assert await connection.fetchval(DIFFERING) > 0, "flags were lost then"
    finder = Finder()
    await finder.page(connection, rows[0]["shop"], Filters(tab=Tab.PROBLEMS), PARIS)
    migrate(earlier, MIGRATIONS)
    await connection.close()
    connection = await asyncpg.connect(earlier)
    assert await connection.fetchval(DIFFERING) == 0
    stray = (
        "select count(*) from order_facet f join orders o using (shop, order_id) where f.kind_id <> o.kind_id"
    )
    assert await connection.fetchval(stray) == 0
    count = await finder.count(connection, rows[0]["shop"], Filters(tab=Tab.PROBLEMS), PARIS)
    expected = sum(1 for row in rows if row["flags"] and row["archived_at"] is None)
    assert count.number == expected
    await connection.close()
