"""The orders list on a real PostgreSQL: the address is the view, rows keep their shop, deeds count once."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.notifier.mails import MailReport, MailSent
from services.orders.backoffice.access.permissions import Role
from services.orders.backoffice.language.translating import PageLocale, using_locale
from services.orders.backoffice.orders import columns, filter_form
from services.orders.backoffice.orders.pages import LATEST
from services.orders.backoffice.web.statics import FOLDER
from services.orders.listing.filters import Filters
from services.orders.listing.words import StatusWord, Tab
from services.orders.order.search.indexing import index_due
from services.orders.order.shop.colours import DARK, LIGHT
from services.orders.staff import tagging
from tests.backoffice.browser import Backoffice
from tests.orders.changing_orders import Merchant
from tests.orders.rest_client import place, sale

HOSTILE = '<b onclick="alert(1)">Zoé</b>' + "W" * 90


async def an_order(backoffice: Backoffice, **changes: object) -> tuple[UUID, str]:
    """An order of the shop: its id and code."""
    placed = await place(backoffice.desk, sale(shop="maison", **changes))
    code = await backoffice.desk.fetchval("select code from orders where order_id = $1", placed.order_id)
    return placed.order_id, code


async def tagged(backoffice: Backoffice, order_id: UUID, name: str) -> UUID:
    async with backoffice.desk.unit() as unit:
        tag = await tagging.create_tag(unit, "maison", name, "red", "test")  # type: ignore[arg-type]
        await tagging.tag_orders(unit, "maison", [order_id], [tag.id], "test")
    return tag.id


async def finish(backoffice: Backoffice, order_id: UUID) -> None:
    """Make it one that may be archived."""
    await backoffice.desk.fetch(
        "update orders set state = 'cancelled', label = 'cancelled' where order_id = $1", order_id
    )


@given(
    tab=st.none() | st.sampled_from(Tab),
    status=st.lists(st.sampled_from(StatusWord), unique=True),
    q=st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs"]), max_size=20),
)
def test_the_address_of_a_view_is_read_as_that_view(
    tab: Tab | None, status: list[StatusWord], q: str
) -> None:
    filters = Filters(tab=tab, status=status, q=q)
    if filters.url():
        list_request = filter_form.read(parse_qsl(filters.url()), "EUR")
        assert list_request.filters == filters
        assert not list_request.is_rough


def test_amounts_are_read_as_people_type_them() -> None:
    with using_locale(PageLocale("fr")):
        list_request = filter_form.read([("least", "1 234,50"), ("most", ""), ("status", "new")], "EUR")
    assert list_request.is_rough
    assert list_request.filters.url() == "status=new&amount_min=123450&currency=EUR"


@pytest.mark.parametrize(
    "query", ["status=nonsense", "nonsense=1", "from=2026-11-03&to=2026-11-01", "least=abc", "from=yesterday"]
)
async def test_what_can_not_be_filtered_is_reported(backoffice: Backoffice, query: str) -> None:
    browser = await backoffice.signed_in()
    answer = await browser.get(f"/orders?{query}")
    assert answer.status == 422
    assert 'class="notice fault"' in answer.text


def test_columns_are_kept_in_the_tables_sequence() -> None:
    assert columns.chosen("") == list(columns.USUAL)
    assert columns.chosen(columns.preference_of(["total", "customer", "nonsense"])) == ["customer", "total"]
    assert columns.chosen(columns.preference_of([])) == []


def test_the_style_sheet_has_the_checked_colours() -> None:
    sheet = (FOLDER / "css" / "30-parts.css").read_text()
    for colour, light in LIGHT.items():
        dark = DARK[colour]
        rule = (
            f".hue-{colour} {{ background: light-dark({light.background}, {dark.background}); "
            f"color: light-dark({light.text}, {dark.text}); }}"
        )
        assert rule in sheet


@pytest.mark.rows("A07")
async def test_hostile_text_is_shown_as_text(backoffice: Backoffice) -> None:
    content = sale().customer.model_dump() | {"name": HOSTILE}
    order_id, code = await an_order(backoffice, customer=content)
    await tagged(backoffice, order_id, "<i>VIP</i>")
    browser = await backoffice.signed_in()
    for path in ("/orders?tab=all", f"/orders/{code}/infos", f"/orders/{code}/tags"):
        shown = await browser.get(path)
        assert shown.status == 200
        assert "<b onclick" not in shown.text
        assert "<i>VIP" not in shown.text
    assert HOSTILE in (await browser.get("/orders?tab=all")).words
    search = await browser.get(f"/orders?q={quote(HOSTILE)}")
    assert search.status == 200
    assert "<b onclick" not in search.text


@pytest.mark.rows("B08")
async def test_ip_and_browser_take_a_right(backoffice: Backoffice) -> None:
    merchant = Merchant(backoffice.desk, await place(backoffice.desk, sale(shop="maison")))
    code = merchant.order.code
    manager = await backoffice.signed_in(Role.MANAGER)
    allowed = await manager.get(f"/orders/{code}/infos")
    refused = await (await backoffice.signed_in(Role.FULFILMENT)).get(f"/orders/{code}/infos")
    assert "192.0.2.7" in allowed.words
    assert "192.0.2.7" not in refused.text
    assert "somebody's" not in refused.text
    assert "Quimper" in refused.words
    await merchant.edit(customer={"company": "Voisin SARL"})
    edited = (await manager.get(f"/orders/{code}/infos")).words
    assert "Voisin SARL" in edited
    assert "192.0.2.7" in edited, "an edit does not take it away"


@pytest.mark.rows("B10", "B11", "B13")
async def test_infos_show_the_latest_activity_the_tracking_and_what_can_be_done(
    backoffice: Backoffice,
) -> None:
    order_id, code = await an_order(backoffice)
    tag_ids = [await tagged(backoffice, order_id, f"Étiquette {number}") for number in range(8)]
    assert len(tag_ids) == 8
    path = f"/orders/{code}/infos"
    shown = await (await backoffice.signed_in(Role.OWNER, language="fr")).get(path)
    assert "Activité de la commande" in shown.words
    assert shown.text.count("timeline-head") == LATEST
    assert "Étiquette 7" in shown.words, "the latest first"
    assert f'href="/orders/{code}#activity"' in shown.text
    assert "Autres actions" in shown.words
    for action in ("edit", "tags", "cancellation", "deletion"):
        assert f'href="/orders/{code}/{action}"' in shown.text
    looking = await (await backoffice.signed_in(Role.ACCOUNTANT)).get(path)
    assert "Order activity" in looking.words
    assert f"/orders/{code}/cancellation" not in looking.text


async def test_infos_name_the_browser_and_what_each_mail_is(backoffice: Backoffice) -> None:
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    order_id, code = await an_order(backoffice, customer={**sale().customer.model_dump(), "browser": agent})
    report = MailReport(
        shop="maison",
        mail_id=uuid4(),
        order_id=order_id,
        template="order_recap",
        recipient="zoe@example.org",
        cause_id=uuid4(),
        at=datetime.now(UTC),
    )
    await backoffice.desk.deliver(MailSent(mails=[report]))
    browser = await backoffice.signed_in(language="fr")
    for path in (f"/orders/{code}/infos", f"/orders/{code}"):
        shown = await browser.get(path)
        assert "Firefox, Linux" in shown.words
        assert agent not in shown.words
        assert "Courriel envoyé à zoe@example.org · Récapitulatif de commande" in shown.words


async def test_a_deleted_order_shows_that_it_was_deleted_and_when(backoffice: Backoffice) -> None:
    merchant = Merchant(backoffice.desk, await place(backoffice.desk, sale(shop="maison")))
    code, order_id = merchant.order.code, merchant.order.order_id
    await merchant.delete()
    await backoffice.desk.deliver(await merchant.stopped())
    browser = await backoffice.signed_in(language="fr")
    for path in (f"/orders/{code}", f"/orders/{order_id}", f"/orders/{code}/infos"):
        shown = await browser.get(path)
        assert shown.status == 404
        assert f"La commande {code} a été supprimée" in shown.words
        assert "Suppression : aujourd’hui à" in shown.words
    stranger = await backoffice.signed_in(shop="atelier", language="fr")
    assert "Il n’y a rien ici" in (await stranger.get(f"/orders/{code}")).words


async def test_a_day_in_the_address_may_be_written_as_people_do(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in(language="fr")
    led = await browser.get("/orders?from=31/10/2026&to=2026-11-03")
    assert (led.status, led.headers["location"]) == (303, "/orders?from=2026-10-31&to=2026-11-03")
    for day in ("31/02/2026", "2026-31-10", "hier", "1/2/3"):
        refused = await browser.get(f"/orders?from={day}")
        assert refused.status == 422
        assert "Saisissez une date comme 22/11/2026." in refused.words


async def test_another_shops_orders_are_nowhere(backoffice: Backoffice) -> None:
    order_id, code = await an_order(backoffice)
    stranger = await backoffice.signed_in(shop="atelier")
    assert code not in (await stranger.get("/orders?tab=all")).text
    assert code not in (await stranger.get(f"/orders/rows?order={order_id}")).text
    assert (await stranger.get(f"/orders/{code}/infos")).status == 404
    answer = await stranger.post("/orders/archive", {"key": str(uuid4()), "only": str(order_id)})
    assert answer.status == 303
    assert await backoffice.desk.fetchval("select archived_at from orders") is None


@pytest.mark.rows("B12")
async def test_archiving_is_previewed_and_done_once(backoffice: Backoffice) -> None:
    done, code = await an_order(backoffice)
    left, other = await an_order(backoffice)
    await finish(backoffice, done)
    browser = await backoffice.signed_in()
    chosen = [("order", str(done)), ("order", str(left)), ("key", str(uuid4())), ("back", "/orders?tab=all")]
    shown = await browser.post("/orders/archive", chosen)
    assert shown.status == 200
    assert "Will change 1" in shown.words
    assert "Will not change 1" in shown.words
    assert await backoffice.desk.fetchval("select count(archived_at) from orders") == 0
    confirm = shown.form("/orders/archive").filled()
    result = await browser.post("/orders/archive", confirm)
    assert f"Archived 1 {code}" in result.words
    assert (await browser.post("/orders/archive", confirm)).status == 303
    activity = await backoffice.desk.fetch("select order_id from activity where kind = 'archived'")
    assert [row["order_id"] for row in activity] == [done]
    assert other in (await browser.get("/orders?tab=to_collect")).text
    assert code not in (await browser.get("/orders?tab=all")).text
    assert code in (await browser.get("/orders?tab=archived")).text


@pytest.mark.rows("B06", "B12")
async def test_everything_that_fits_is_chosen_by_its_filters(backoffice: Backoffice) -> None:
    orders = [await an_order(backoffice) for _ in range(3)]
    tag = await tagged(backoffice, orders[0][0], "VIP")
    browser = await backoffice.signed_in()
    assert "1 order with the tag VIP" in (await browser.get("/settings/tags")).words
    fields = {"key": str(uuid4()), "everything": "on", "query": "tab=all", "tag": str(tag)}
    page = await browser.post("/orders/tag", fields)
    assert "Will change 2" in page.words
    await browser.post("/orders/tag", page.form("/orders/tag").filled())
    assert "3 orders with the tag VIP" in (await browser.get("/settings/tags")).words
    assert await backoffice.desk.fetchval("select count(*) from order_tag") == 3
    shown = await browser.get(f"/orders?tag={tag}")
    assert [code for _, code in orders if code not in shown.text] == []


@pytest.mark.rows("B06")
async def test_a_tag_is_made_put_on_and_taken_off_without_scripts(backoffice: Backoffice) -> None:
    _, code = await an_order(backoffice)
    browser = await backoffice.signed_in()
    path = f"/orders/{code}/tags"
    made = await browser.post(path, {"key": str(uuid4()), "name": "Urgent", "colour": "red"})
    assert made.status == 303
    assert "Urgent" in (await browser.get("/orders?tab=all")).words
    tag = await backoffice.desk.fetchval("select tag_id from tag")
    assert (await browser.post(path, {"key": str(uuid4()), "remove": str(tag)})).status == 303
    assert "This order has no tags." in (await browser.get(path)).words
    refused = await browser.post(path, {"key": str(uuid4()), "name": "x" * 41})
    assert refused.status == 422
    assert "x" * 41 in refused.text


async def test_roles_see_and_do_what_is_theirs(backoffice: Backoffice) -> None:
    order_id, code = await an_order(backoffice)
    accountant = await backoffice.signed_in(Role.ACCOUNTANT)
    shown = await accountant.get("/orders?tab=all")
    assert "/orders/archive" not in shown.text
    assert "/tags" not in shown.text
    for path in ("/orders/archive", "/orders/tag", f"/orders/{code}/tags"):
        answer = await accountant.post(path, {"key": str(uuid4()), "only": str(order_id)})
        assert answer.status == 403
    shared = {"key": str(uuid4()), "name": "Toutes", "query": "tab=all", "shared": "on"}
    assert (await accountant.post("/orders/views", shared)).status == 403


@pytest.mark.rows("A08", "B03")
async def test_a_view_is_saved_renamed_and_deleted(backoffice: Backoffice) -> None:
    await an_order(backoffice)
    browser, other = await backoffice.signed_in(), await backoffice.signed_in()
    own = {"key": str(uuid4()), "name": "Mes nouvelles", "query": "status=new"}
    assert (await browser.post("/orders/views", own)).status == 303
    await browser.post("/orders/views", {**own, "key": str(uuid4()), "name": "À tous", "shared": "on"})
    assert "Mes nouvelles" in (await browser.get("/orders?status=new")).words
    others = (await other.get("/orders")).words
    assert "À tous" in others
    assert "Mes nouvelles" not in others
    view = await backoffice.desk.fetchval("select view_id from saved_view where owner is not null")
    assert (await other.post(f"/orders/views/{view}/delete", {"key": str(uuid4())})).status == 404
    unfit = await browser.post(f"/orders/views/{view}/rename", {"key": str(uuid4()), "name": " "})
    assert unfit.status == 422
    await browser.post(f"/orders/views/{view}/rename", {"key": str(uuid4()), "name": "Neuves"})
    assert "Neuves" in (await browser.get("/orders/views")).words
    await browser.post(f"/orders/views/{view}/delete", {"key": str(uuid4())})
    assert "Neuves" not in (await browser.get("/orders/views")).words


@pytest.mark.rows("B19")
async def test_search_looks_everywhere(backoffice: Backoffice) -> None:
    _, code = await an_order(backoffice)
    while await index_due(backoffice.desk.hub):
        pass
    browser = await backoffice.signed_in()
    for asked in (code, code.replace("-", "").lower(), "zoe@example.org"):
        answer = await browser.get(f"/orders?q={asked}")
        assert (answer.status, answer.headers["location"]) == (303, f"/orders/{code}"), asked
        assert code in (await browser.get(f"/orders?q={asked}&tab=everything")).text
    for asked in ("martin", "bougie-01"):
        assert code in (await browser.get(f"/orders?q={asked}")).text, asked
    assert "No matching orders" in (await browser.get("/orders?q=nobody")).words


async def test_an_order_alone_is_opened_only_when_it_was_requested_by_name(backoffice: Backoffice) -> None:
    _, first = await an_order(backoffice)
    browser = await backoffice.signed_in()
    await index_due(backoffice.desk.hub)
    assert (await browser.get("/orders?q=zoe@example.org")).headers["location"] == f"/orders/{first}"
    await an_order(backoffice)
    await index_due(backoffice.desk.hub)
    assert (await browser.get("/orders?q=zoe@example.org")).status == 200


@pytest.mark.rows("B12")
async def test_the_list_reports_archived_orders_that_fit_and_includes_them(backoffice: Backoffice) -> None:
    done, archived = await an_order(backoffice)
    _, active = await an_order(backoffice)
    await backoffice.desk.hub.pool.execute("update orders set archived_at = now() where order_id = $1", done)
    browser = await backoffice.signed_in()
    shown = await browser.get("/orders?tab=all&module=shop")
    assert "1 archived order also matches." in shown.words
    assert archived not in shown.text
    assert "tab=everything&amp;module=shop" in shown.text
    everything = await browser.get("/orders?tab=everything&module=shop")
    assert archived in everything.text
    assert active in everything.text
    assert "also matches" not in everything.words
    assert "Including archived" in everything.words
    file = (await browser.get("/orders/export.csv?tab=everything&module=shop&numbers=en")).text
    assert archived in file
    assert active in file
    assert "also matches" not in (await browser.get("/orders?tab=all")).words, "nothing is filtered"


async def test_a_filter_stays_in_its_queue_and_the_queue_is_shown(backoffice: Backoffice) -> None:
    await an_order(backoffice)
    browser = await backoffice.signed_in()
    for query, tab in (
        ("", "to_process"),
        ("tab=to_collect&module=shop", "to_collect"),
        ("module=shop", "all"),
    ):
        shown = await browser.get(f"/orders?{query}")
        assert shown.text.count('aria-current="page"') == 2, "the menu's and the queue's"
        assert f'href="/orders?tab={tab}" aria-current="page"' in shown.text, query
        chosen = "everything" if query == "module=shop" else tab
        assert f'<option value="{chosen}" selected' in shown.text, query


async def test_a_filter_adds_no_currency_automatically(backoffice: Backoffice) -> None:
    await an_order(backoffice)
    await an_order(backoffice, currency="JPY")
    browser = await backoffice.signed_in()
    form = "tab=all&from=&to=&module=shop&least=&most=&currency="
    assert (await browser.get(f"/orders?{form}")).headers["location"] == "/orders?tab=all&module=shop"
    assert (
        '<option value="" selected>All currencies</option>' in (await browser.get("/orders?module=shop")).text
    )
    mixed = await browser.get("/orders?tab=all&sort=highest")
    assert "Totals are compared without currency conversion. Limit to: EUR JPY" in mixed.words
    assert "sort=highest&amp;currency=JPY" in mixed.text.replace(
        "currency=JPY&amp;sort=highest", "sort=highest&amp;currency=JPY"
    )
    for query in ("tab=all", "tab=all&sort=highest&currency=JPY"):
        assert "without currency conversion" not in (await browser.get(f"/orders?{query}")).words, query


@pytest.mark.rows("B05")
async def test_a_period_holds_its_last_day(backoffice: Backoffice) -> None:
    _, code = await an_order(backoffice, submitted_at=datetime(2026, 11, 3, 22, 30, tzinfo=UTC))
    browser = await backoffice.signed_in()
    assert code in (await browser.get("/orders?from=2026-11-03&to=2026-11-03")).text
    assert code not in (await browser.get("/orders?from=2026-11-04")).text


async def test_a_page_of_orders_is_small_on_the_wire(backoffice: Backoffice) -> None:
    for _ in range(50):
        await an_order(backoffice)
    browser = await backoffice.signed_in(language="fr")
    request = browser.client.build_request("GET", "/orders?tab=all", headers={"Accept-Encoding": "gzip"})
    answer = await browser.client.send(request, stream=True)
    sent = len(b"".join([piece async for piece in answer.aiter_raw()]))
    assert answer.headers["content-encoding"] == "gzip"
    assert sent < 30_000


async def test_a_page_of_many_orders_makes_no_more_queries_than_one_of_few(
    backoffice: Backoffice,
) -> None:
    browser = await backoffice.signed_in()
    requests: list[str] = []
    async with backoffice.app_state.reading() as connection:
        connection.add_query_logger(lambda query: requests.append(query.query))
    counted = []
    for more in (1, 2, 8):
        for _ in range(more):
            order_id, _ = await an_order(backoffice)
            await tagged(backoffice, order_id, f"Tag {order_id}"[-30:])
        requests.clear()
        assert (await browser.get("/orders?tab=all")).status == 200
        counted.append(len(requests))
    assert 0 < counted[1] == counted[2] < 15, "the first page reads what is kept a while"


@pytest.mark.rows("A03")
async def test_orders_paid_by_paypal_are_a_filter_value(backoffice: Backoffice) -> None:
    by_paypal = {"method": "paypal", "provider": "paypal", "provider_reference": "5O190127TN364715T"}
    _, code = await an_order(backoffice, payment=by_paypal)
    _, other = await an_order(backoffice)
    browser = await backoffice.signed_in()
    shown = await browser.get("/orders?tab=all&payment_method=paypal")
    assert code in shown.words
    assert other not in shown.words
    assert "PayPal" in shown.words
