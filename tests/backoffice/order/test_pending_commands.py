"""Forms while a command about their order has no outcome yet: an older one is refused, a newer one names it."""

import asyncio
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orders.backoffice.access.permissions import Role
from services.orders.backoffice.forms.fields import Form
from services.orders.order.history import Seen
from tests.backoffice.browser import Backoffice, Browser, FormShown, Shown
from tests.backoffice.ledger_messages import receive
from tests.orders.rest_client import place, sale, sent, settled

PENDING = "€84.00 by cheque, requested by Camille owner today at"


async def _forms(browser: Browser, code: str, action: str, count: int) -> list[FormShown]:
    """The form in as many windows, each loaded on its own."""
    return [(await browser.get(f"/orders/{code}")).form(f"/orders/{code}/{action}") for _ in range(count)]


async def _sent_to(backoffice: Backoffice) -> int:
    return len(await sent(backoffice.desk))


def _names_pending(shown: Shown) -> bool:
    return PENDING in shown.words and "is in progress." in shown.words


async def test_a_form_loaded_before_a_payment_is_refused_with_what_is_pending(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in()
    code = (await place(backoffice.desk, sale())).code
    first, second = await _forms(browser, code, "payment", 2)
    assert (await browser.post(first.action, first.fields)).status == 202
    refused = await browser.post(second.action, second.filled(note="Par la poste"))
    assert (refused.status, _names_pending(refused)) == (409, True), refused.words
    assert "Par la poste" in refused.words, "the input is kept"
    assert await _sent_to(backoffice) == 1
    again = await browser.post(second.action, refused.form(second.action).fields)
    assert again.status == 202, "sent deliberately, after reading what is pending"
    assert await _sent_to(backoffice) == 2


async def test_a_form_loaded_afterwards_names_the_pending_payment_and_proposes_the_rest(
    backoffice: Backoffice,
) -> None:
    browser = await backoffice.signed_in()
    code = (await place(backoffice.desk, sale())).code
    (first,) = await _forms(browser, code, "payment", 1)
    assert (await browser.post(first.action, first.filled(amount="50"))).status == 202
    shown = await browser.get(f"/orders/{code}")
    assert shown.words.count("€50.00 by cheque, requested by Camille owner today at") > 1, "above and beside"
    later = shown.form(first.action)
    assert dict(later.fields)["amount"] == "34.00"
    assert (await browser.post(later.action, later.fields)).status == 202
    assert [command.amount_minor for _, command in await sent(backoffice.desk)] == [5000, 3400]
    assert dict((await browser.get(f"/orders/{code}")).form(first.action).fields)["amount"] == ""


async def test_of_two_people_who_record_a_payment_at_once_one_is_refused(backoffice: Backoffice) -> None:
    people = [await backoffice.signed_in(), await backoffice.signed_in(Role.ACCOUNTANT)]
    code = (await place(backoffice.desk, sale())).code
    forms = [(await _forms(one, code, "payment", 1))[0] for one in people]
    clicks = [one.post(form.action, form.fields) for one, form in zip(people, forms, strict=True)]
    answers = await asyncio.gather(*clicks)
    assert sorted(answer.status for answer in answers) == [202, 409]
    assert await _sent_to(backoffice) == 1


async def test_a_double_click_and_a_reload_are_the_same_payment(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in()
    code = (await place(backoffice.desk, sale())).code
    (form,) = await _forms(browser, code, "payment", 1)
    answers = await asyncio.gather(*(browser.post(form.action, form.fields) for _ in range(3)))
    assert [answer.status for answer in answers] == [202] * 3
    assert (await browser.post(form.action, form.fields)).status == 202
    ((command_id, command),) = await sent(backoffice.desk)
    await backoffice.desk.deliver(
        settled(code)(command_id, command), causation_id=command_id, sender="payments"
    )
    assert (await browser.post(form.action, form.fields)).status == 303
    assert "is in progress" not in (await browser.get(f"/orders/{code}")).words


async def test_a_refund_is_not_requested_twice_from_older_pages(backoffice: Backoffice) -> None:
    browser, placed = await backoffice.signed_in(), await place(backoffice.desk, sale())
    await receive(backoffice.desk, placed, 8400)
    path = f"/orders/{placed.code}/refund"
    first, second = [(await browser.get(path)).form(path) for _ in range(2)]
    typed = {"deed": "refund", "what": "amount", "amount": "20", "mode": "recorded"}
    assert (await browser.post(path, first.filled(**typed))).status == 202
    refused = await browser.post(path, second.filled(**typed))
    assert (refused.status, "Refund of €20.00, requested by Camille owner" in refused.words) == (409, True)
    assert await _sent_to(backoffice) == 1
    later = await browser.get(path)
    assert "Refund of €20.00, requested by Camille owner" in later.words
    assert (await browser.post(path, later.form(path).filled(**typed))).status == 202


async def test_a_unit_is_not_packed_twice_from_older_pages_and_money_does_not_block_parcels(
    backoffice: Backoffice,
) -> None:
    browser = await backoffice.signed_in()
    code = (await place(backoffice.desk, sale())).code
    (payment,) = await _forms(browser, code, "payment", 1)
    first, second = await _forms(browser, code, "parcels", 2)
    assert (await browser.post(payment.action, payment.fields)).status == 202
    chosen = {"way": "chosen", "quantity_1": "1"}
    assert (await browser.post(first.action, first.filled(**chosen))).status == 202, "a payment is pending"
    refused = await browser.post(second.action, second.filled(**chosen))
    assert (refused.status, "Packing of a parcel, requested by Camille owner" in refused.words) == (409, True)
    (later,) = await _forms(browser, code, "parcels", 1)
    assert (await browser.post(later.action, later.filled(**chosen))).status == 202


async def test_what_is_parked_counts_and_is_named_in_french(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in(language="fr")
    code = (await place(backoffice.desk, sale())).code
    first, second = await _forms(browser, code, "payment", 2)
    await browser.post(first.action, first.fields)
    page = await browser.get(f"/orders/{code}")
    assert "par chèque : demandé par Camille owner aujourd’hui à" in page.words.replace("\xa0", " ")
    async with backoffice.desk.unit() as unit:
        await unit.connection.execute("UPDATE command SET state = 'parked'")
    refused = await browser.post(second.action, second.fields)
    assert (refused.status, "n’a pas pu être fait" in refused.words) == (409, True)


@pytest.mark.parametrize("action", ["payment", "refund"])
async def test_an_amount_beyond_the_limit_of_a_sale_is_refused(backoffice: Backoffice, action: str) -> None:
    browser, placed = await backoffice.signed_in(), await place(backoffice.desk, sale())
    await receive(backoffice.desk, placed, 4200)
    page = f"/orders/{placed.code}" + ("/refund" if action == "refund" else "")
    form = (await browser.get(page)).form(f"/orders/{placed.code}/{action}")
    typed = (
        {"what": "amount", "mode": "recorded", "deed": "refund"} if action == "refund" else {"meant": "on"}
    )
    refused = await browser.post(form.action, form.filled(amount="90071992547409.91", **typed))
    assert refused.status == 422
    assert "The amount is too large: at most €100,000,000,000.00." in refused.words
    assert await sent(backoffice.desk, 0) == []


@given(st.integers(1, 10**9 - 1), st.frozensets(st.uuids(), max_size=3))
def test_the_state_that_a_form_shows_is_read_back(revision: int, commands: frozenset[UUID]) -> None:
    seen = Seen(revision, commands)
    assert Seen.read(str(seen)) == seen
    assert Form([("revision", str(seen))]).revision == revision


@pytest.mark.parametrize(
    "text", ["", "x", "1 2", f"1  {UUID(int=1)}", f"1 {UUID(int=1)!s}g", str(UUID(int=1))]
)
def test_a_text_that_no_page_made_is_no_state(text: str) -> None:
    assert Seen.read(text) is None
