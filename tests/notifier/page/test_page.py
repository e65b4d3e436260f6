"""The customer's page: what a link opens and what not, what it shows, and that looking changes nothing."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.envelope import uuid7
from contracts.orders.lifecycle import OrderDeleted, OrderPlaced
from contracts.payments.invoices import InvoiceIssued, InvoiceTotals
from services.notifier.page.opening import LinkState, link_state
from services.notifier.page.security import HEADERS, Limit
from services.orders.staff.commenting import comment
from tests.notifier.builders import SHOP, an_edit
from tests.notifier.page.customer import PAGE, Answer, House, contents

pytestmark = pytest.mark.rows("C16")
FRENCH = {"accept_language": "fr-FR,fr;q=0.9"}
NOWHERE = f"/c/{'a' * 26}"


async def an_invoice(house: House, order: OrderPlaced) -> str:
    """The id of a new invoice of this order."""
    identifier = uuid7()
    values: dict[str, Any] = {
        "shop": order.shop, "order_id": order.order_id, "code": order.code, "issued_on": date(2026, 11, 29),
        "issued_at": datetime(2026, 11, 29, 9, tzinfo=UTC), "currency": "EUR", "locale": "fr",
        "totals": InvoiceTotals(net_minor=7000, tax_minor=1400, total_minor=8400), "mails_customer": False,
    }  # fmt: skip
    await house.orders.deliver(InvoiceIssued(invoice_id=identifier, number="F2026-00001", **values))
    return str(identifier)


def _main(page: Answer, path: str) -> str:
    """What the page says, without the shop around it and its own address."""
    return page.text.split("<main>")[1].split("</main>")[0].replace(path, "")


async def age(house: House, days: int) -> None:
    """Make the links and mails as old as that."""
    for column, table in (("made_at", "page_link"), ("created_at", "mail")):
        await house.notifier.fetch(f"UPDATE {table} SET {column} = now() - interval '{days} days'")  # noqa: S608


async def test_the_link_of_a_mail_shows_the_order(house: House) -> None:
    order = await house.place()
    page = await house.get(await house.link())
    assert page.status == 200
    for words in (order.code, "Bougie", "Leçon", "Colissimo", "84,00", "Chèque", "Atelier Lumière"):
        assert words in page.text
    assert '<html lang="fr">' in page.text
    english = await house.get(f"{await house.link()}?lang=en")
    assert "We are waiting for your payment." in english.text
    capitals = await house.get((await house.link()).upper().replace("/C/", "/c/"))
    assert capitals.status == 200


async def test_the_source_has_nothing_of_the_staff_and_no_foreign_host(house: House) -> None:
    order = await house.place(note="Sonner deux fois.")
    other = await house.place(customer={"name": "Paul Roux", "email": "zoe@example.org"})
    async with house.orders.hub.unit() as unit:
        await comment(unit, SHOP, order.order_id, "Client pénible", "lea@atelier.example")
    path = await house.link()
    shown, hidden = (order, other) if order.code in (await house.get(path)).text else (other, order)
    page = await house.get(path)
    for secret in ("pénible", "lea@", "192.0.2.7", "Mozilla", hidden.code, str(hidden.order_id)):
        assert secret not in page.text
    assert shown.code in page.text
    assert "<script" not in page.text
    assert all(link.startswith(("/", "mailto:")) for link in page.links)


async def test_every_response_has_the_strict_headers(house: House) -> None:
    await house.place()
    path = await house.link()
    for query in (path, f"{path}/cancel", NOWHERE, "/", "/static/x", "/internal/mails", "/robots.txt"):
        answer = await house.get(query)
        for name, value in HEADERS.items():
            assert answer.response.headers[name] == value, (query, name)
        assert answer.response.headers["cache-control"] == "no-store"


async def test_a_document_of_another_order_does_not_exist_here(house: House) -> None:
    first, second = await house.place(), await house.place()
    path = await house.link()
    own, foreign = await an_invoice(house, first), await an_invoice(house, second)
    if first.code not in (await house.get(path)).text:
        own, foreign = foreign, own
    assert f"{path}/documents/{own}?lang=fr" in (await house.get(path)).links
    answers = [await house.get(f"{path}/documents/{one}") for one in (foreign, uuid4(), "x")]
    assert {answer.status for answer in answers} == {404}
    assert len({_main(answer, path) for answer in answers}) == 1
    assert (await house.get(f"{path}/documents/{own}")).status == 503, "payments is not there"


async def test_prefetching_every_link_changes_nothing(house: House) -> None:
    """Mail programs and virus scanners open links of mails; the pages behind them are followed too."""
    await an_invoice(house, await house.place())
    todo, seen = {await house.link(), NOWHERE}, set[str]()
    before = await contents(house.notifier), await contents(house.orders)
    while todo - seen:
        path = (todo - seen).pop()
        seen.add(path)
        page = await house.get(path)
        head = await house.ask("HEAD", path, None, {})
        assert head.status == page.status
        todo |= {link for link in page.links if link.startswith("/")}
        for action in page.forms:
            assert (await house.get(action)).status in (200, 303, 404)
    assert len(seen) >= 6
    assert (await contents(house.notifier), await contents(house.orders)) == before


async def test_a_corrected_address_ends_the_old_link_and_its_mail_sent_again_has_a_new_one(
    house: House,
) -> None:
    order = await house.place()
    old = await house.link()
    await house.notifier.deliver(an_edit(order))
    assert (await house.get(old)).status == 410
    await house.post(f"{old}/new-link", {})
    new = await house.link("zoe@nouvelle.example")
    assert (new != old, (await house.get(new)).status, (await house.get(old)).status) == (True, 200, 410)


async def test_a_mail_that_is_sent_after_the_correction_opens_nothing_at_the_old_address(
    house: House,
) -> None:
    order = await house.place()
    await house.notifier.deliver(an_edit(order))
    assert (await house.get(await house.link())).status == 410


async def test_a_deleted_order_is_gone_and_sends_no_link(house: House) -> None:
    order = await house.place()
    path = await house.link()
    await house.notifier.deliver(
        OrderDeleted(
            shop=order.shop,
            order_id=order.order_id,
            code=order.code,
            reason="Test",
            actor="lea",
            deleted_at=datetime.now(UTC),
        )
    )
    mails = len(await house.mails())
    gone = await house.get(path)
    assert (gone.status, order.code in gone.text) == (410, False)
    assert (await house.post(f"{path}/new-link", {})).status == 200
    assert len(await house.mails()) == mails


async def test_an_expired_link_is_renewed_by_mail_to_the_orders_address_three_times_an_hour(
    house: House,
) -> None:
    await house.place()
    path = await house.link()
    await age(house, 89)
    assert (await house.get(path)).status == 200
    await age(house, 91)
    expired, unknown = await house.get(f"{path}?lang=fr"), await house.get(f"{NOWHERE}?lang=fr")
    assert (expired.status, unknown.status) == (410, 404)
    assert "M’envoyer un nouveau lien" in expired.text
    assert _main(expired, path) == _main(unknown, NOWHERE)
    before = len(await house.mails())
    answers = [await house.post(f"{one}/new-link?lang=fr", {}) for one in (path, NOWHERE, path, path, path)]
    assert {answer.status for answer in answers} == {200}
    assert "est en route" in answers[0].text
    assert {_main(answer, "") for answer in answers} == {_main(answers[0], "")}
    sent = (await house.mails())[before:]
    assert [mail.partition("\n")[0] for mail in sent] == ["Zoé Martin <zoe@example.org>"] * 3
    new = await house.link()
    assert ((await house.get(new)).status, (await house.get(path)).status) == (200, 410)


async def test_a_form_from_another_site_is_refused(house: House) -> None:
    await house.place()
    path = await house.link()
    form = {**(await house.get(path)).forms[f"{path}/message"], "text": "Bonjour"}
    for headers in (
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"origin": "https://elsewhere.example"},
    ):
        assert (await house.post(f"{path}/message", form, **headers)).status == 403
    for headers in ({"sec_fetch_site": "same-origin"}, {"origin": "null"}, {"origin": PAGE}):
        assert (await house.post(f"{path}/message", form, **headers)).status == 303


async def test_whatever_is_refused_is_a_page_with_the_way_back_in_the_readers_language(house: House) -> None:
    await house.place()
    path = await house.link()
    for form in ("message", "new-link"):
        opened = await house.get(f"{path}/{form}?lang=en")
        assert (opened.status, opened.response.headers["location"]) == (303, f"{path}?lang=en")
    large = {"key": "x", "text": "x" * 300_000}
    many = {f"field{number}": "x" for number in range(21)}
    for answer, status, why in (
        (await house.get(f"{path}/nowhere", **FRENCH), 404, "Ouvrez le lien du dernier courriel"),
        (await house.get(f"{path}/files/x"), 404, "Ouvrez le lien du dernier courriel"),
        (await house.post(path, {}, **FRENCH), 405, "Cette adresse ne répond pas"),
        (await house.ask("DELETE", path, None, FRENCH), 405, "Cette adresse ne répond pas"),
        (await house.post(f"{path}/message", large, **FRENCH), 413, "raccourcissez-le"),
        (await house.post(f"{path}/message", many, **FRENCH), 422, "remplissez le formulaire à nouveau"),
        (
            await house.post(f"{path}/message", {}, **FRENCH, sec_fetch_site="cross-site"),
            403,
            "ce formulaire ne vient pas de la page de votre commande",
        ),
    ):
        assert (answer.status, answer.response.headers["content-type"]) == (
            status,
            "text/html; charset=utf-8",
        )
        assert why in answer.text
        assert f"{path}?lang=fr" in answer.links
        for name, value in HEADERS.items():
            assert answer.response.headers[name] == value
    assert "GET, HEAD" in (await house.post(path, {})).response.headers["allow"]


async def test_too_many_requests_with_one_link_are_refused_for_a_minute(house: House) -> None:
    statuses = [(await house.get(NOWHERE)).status for _ in range(121)]
    assert (set(statuses[:120]), statuses[120]) == ({404}, 429)
    refused = await house.get(NOWHERE)
    assert refused.response.headers["retry-after"] == "60"
    assert "Wait a minute, then load this page again." in refused.text
    french = await house.get(NOWHERE, **FRENCH)
    assert "Attendez une minute, puis rechargez cette page." in french.text
    assert f"{NOWHERE}?lang=fr" in french.links


@given(st.booleans(), st.integers(0, 200), st.integers(0, 200), st.integers(0, 400))
def test_a_link_is_open_only_at_its_own_address_and_in_its_time(
    is_own: bool, made: int, last: int, now: int
) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    day = timedelta(days=1)
    found = link_state(
        is_own=is_own, made_at=start + made * day, last_event_at=start + last * day, now=start + now * day
    )
    in_time = now < max(made + 90, last + 30)
    assert (found is LinkState.OPEN) == (is_own and in_time)
    assert (found is LinkState.REVOKED) == (not is_own)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 20)), max_size=60))
def test_a_limit_holds_in_any_window(events: list[tuple[str, int]]) -> None:
    now = 0.0
    limit, admitted = Limit(3, 10.0, lambda: now), list[tuple[str, float]]()
    for key, pause in events:
        now += pause
        if limit.admit(key):
            admitted.append((key, now))
        else:
            assert sum(1 for one, at in admitted if one == key and at > now - 10.0) >= 3
    for key, at in admitted:
        assert sum(1 for one, other in admitted if one == key and at - 10.0 < other <= at) <= 3
