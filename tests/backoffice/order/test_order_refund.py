"""The page of a refund: two explicit ways, what is proposed, what is asked once, and what payments says of it."""

from typing import Any

import pytest

from contracts.message import Reason
from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.refunds import RefundFailed, RefundMarked, RefundSent, RefundUncertain
from services.orders.backoffice.access.permissions import Role
from tests.backoffice.browser import Backoffice, Browser, FormShown, Shown
from tests.backoffice.ledger_messages import BY_CHEQUE, receive, refunded
from tests.orders.rest_client import patiently, place, rejected, sale, sent

HOSTILE = "<script>alert(1)</script>\"'" + "W" * 200


async def _paid(backoffice: Backoffice, minor: int = 8400, **by: Any) -> OrderPlaced:
    placed = await place(backoffice.desk, sale())
    await receive(backoffice.desk, placed, minor, **by)
    return placed


async def _answered(backoffice: Backoffice, browser: Browser, path: str, fields: Any, answer: Any) -> Shown:
    """A form's answer once its command's owner said `answer`."""
    before = await backoffice.desk.fetchval("select count(*) from command")
    pending = patiently(browser.post(path, fields))
    command_id, command = (await sent(backoffice.desk, before + 1))[-1]
    word = answer(command_id, command)
    await backoffice.desk.deliver(word, causation_id=command_id, sender="payments")
    return await pending


async def _checked(browser: Browser, path: str, fields: Any) -> FormShown:
    """The form of the preview that a refund's form leads to."""
    shown = await browser.post(path, [*fields, ("deed", "preview")])
    assert shown.status == 200, shown.words
    return shown.form(path)


@pytest.mark.rows("B14", "B15", "C12")
async def test_a_refund_of_articles_counts_checks_and_is_confirmed_once(backoffice: Backoffice) -> None:
    browser, placed = await backoffice.signed_in(Role.ACCOUNTANT), await _paid(backoffice)
    path = f"/orders/{placed.code}/refund"
    shown = await browser.get(path)
    form = shown.form(path)
    fields = dict(form.fields)
    assert (fields["amount"], fields["quantity-1"], fields["quantity-2"]) == ("", "0", "0")
    assert "mode" not in fields, "nobody chooses by accident"
    assert "Send it through Stripe" in shown.words
    without = await browser.post(path, form.filled(quantity_1="1", amount="15"))
    assert (without.status, "This field is required." in without.words) == (422, True)
    counted = await browser.post(path, [*form.filled(quantity_1="2"), ("deed", "calculate")])
    assert dict(counted.form(path).fields)["amount"] == "30.00"
    every = await browser.post(path, [*form.fields, ("deed", "all")])
    all_of_it = dict(every.form(path).fields)
    assert (all_of_it["amount"], all_of_it["quantity-1"], all_of_it["quantity-2"]) == ("84.00", "3", "1")
    chosen = form.filled(mode="sent", amount="15", quantity_1="1", restock_1="on", reason=HOSTILE)
    checked = await _checked(browser, path, chosen)
    assert await backoffice.desk.fetchval("select count(*) from command") == 0, "it is only looked at"
    last = checked.filled(deed="refund")
    clicks = [patiently(browser.post(path, last)) for _ in range(2)]
    ((command_id, command),) = await sent(backoffice.desk)
    assert (command.mode, command.amount_minor, command.cause) == ("sent", 1500, "credit")
    assert [(one.line, one.quantity, one.restock) for one in command.lines] == [(1, 1, True)]
    word = refunded(placed.code, RefundSent)(command_id, command)
    await backoffice.desk.deliver(word, causation_id=command_id, sender="payments")
    assert [(await click).status for click in clicks] == [303, 303]
    page = await browser.get(f"/orders/{placed.code}")
    assert "Refund sent." in page.words
    assert "On its way" in page.words
    assert "<script>alert" not in page.text
    assert len(await sent(backoffice.desk)) == 1


async def test_a_refund_of_an_amount_touches_no_article(backoffice: Backoffice) -> None:
    browser, placed = await backoffice.signed_in(), await _paid(backoffice)
    path = f"/orders/{placed.code}/refund"
    form = (await browser.get(path)).form(path)
    typed = form.filled(what="amount", amount="5", mode="recorded", quantity_1="3", quantity_2="1")
    shown = await browser.post(path, typed)
    assert "No items are cancelled or returned." in shown.words
    assert (await browser.post(path, shown.form(path).filled(deed="refund"))).status == 202
    ((_, command),) = await sent(backoffice.desk)
    assert (command.amount_minor, command.lines) == (500, [])


@pytest.mark.parametrize("amount", ["5", "83.99", "30"])
async def test_an_order_is_not_cancelled_by_a_refund_of_less_than_is_due(
    backoffice: Backoffice, amount: str
) -> None:
    browser, placed = await backoffice.signed_in(), await _paid(backoffice)
    path = f"/orders/{placed.code}/refund"
    form = (await browser.get(path)).form(path)
    every = form.filled(quantity_1="3", quantity_2="1", amount=amount, mode="recorded", differs="on")
    for action in ("preview", "refund"):
        refused = await browser.post(path, [*every, ("deed", action)])
        assert (refused.status, "this refund cancels it" in refused.words) == (422, True)
    whole = form.filled(quantity_1="3", quantity_2="1", amount="84", mode="recorded")
    shown = await browser.post(path, whole)
    assert "the order is cancelled" in shown.words
    assert await backoffice.desk.fetchval("select count(*) from command") == 0


async def test_an_amount_that_is_not_what_its_articles_cost_is_confirmed_once(backoffice: Backoffice) -> None:
    browser, placed = await backoffice.signed_in(), await _paid(backoffice)
    path = f"/orders/{placed.code}/refund"
    form = (await browser.get(path)).form(path)
    typed = form.filled(quantity_1="1", amount="84", mode="recorded")
    shown = await browser.post(path, [*typed, ("deed", "refund")])
    assert "The selected items cost €15.00, and €84.00 is refunded." in shown.words
    assert await backoffice.desk.fetchval("select count(*) from command") == 0
    unticked = await browser.post(path, shown.form(path).filled(deed="refund"))
    assert (unticked.status, "Tick this if the amount is intended" in unticked.words) == (422, True)
    meant = unticked.form(path).filled(deed="refund", differs="on")
    assert (await browser.post(path, meant)).status == 202
    ((_, command),) = await sent(backoffice.desk)
    assert (command.amount_minor, command.lines[0].quantity) == (8400, 1)


@pytest.mark.parametrize("what", ["amount", "items"])
async def test_more_than_can_be_refunded_is_refused_before_it_is_sent(
    backoffice: Backoffice, what: str
) -> None:
    browser, placed = await backoffice.signed_in(), await _paid(backoffice)
    path = f"/orders/{placed.code}/refund"
    form = (await browser.get(path)).form(path)
    typed = form.filled(
        what=what, quantity_1="1", amount="84.01", mode="sent", cause="overpaid", differs="on"
    )
    for action in ("preview", "refund"):
        refused = await browser.post(path, [*typed, ("deed", action)])
        assert refused.status == 422
        assert "More than was received and not yet refunded." in refused.words
        assert "Correct the fields marked below." in refused.words
    all_of_it = form.filled(what="amount", amount="84", mode="sent", cause="overpaid")
    assert (await browser.post(path, all_of_it)).status == 200
    assert await backoffice.desk.fetchval("select count(*) from command") == 0


async def test_an_amount_that_is_set_aside_can_not_be_refunded_again(backoffice: Backoffice) -> None:
    browser, placed = await backoffice.signed_in(), await _paid(backoffice)
    path = f"/orders/{placed.code}/refund"
    typed = (await browser.get(path)).form(path).filled(what="amount", mode="sent", amount="20")
    fields = (await _checked(browser, path, typed)).filled(deed="refund")
    doubt = refunded(placed.code, RefundUncertain, payment_reference="pi_1")
    await _answered(backoffice, browser, path, fields, doubt)
    shown = await browser.get(path)
    assert "Can be refunded €64.00" in shown.words
    assert "€64.00 of €84.00 remaining" in shown.words
    for amount, status in (("64.01", 422), ("64", 200)):
        typed = shown.form(path).filled(what="amount", mode="sent", amount=amount)
        assert (await browser.post(path, typed)).status == status


async def test_the_only_way_of_refunding_is_chosen_and_a_missing_one_is_reported_beside_its_field(
    backoffice: Backoffice,
) -> None:
    browser = await backoffice.signed_in()
    by_cheque = f"/orders/{(await _paid(backoffice, **BY_CHEQUE)).code}/refund"
    assert dict((await browser.get(by_cheque)).form(by_cheque).fields)["mode"] == "recorded"
    by_card = f"/orders/{(await _paid(backoffice)).code}/refund"
    form = (await browser.get(by_card)).form(by_card)
    refused = await browser.post(by_card, form.filled(what="amount", amount="5"))
    assert refused.words.index("How the money is paid back") < refused.words.index("This field is required.")
    assert refused.words.count("This field is required.") == 1
    assert refused.words.index("Correct the fields marked below.") < refused.words.index("What is refunded")


async def test_the_customer_is_notified_of_a_refund_only_if_that_is_ticked(backoffice: Backoffice) -> None:
    browser, placed = await backoffice.signed_in(), await _paid(backoffice)
    path = f"/orders/{placed.code}/refund"
    for ticked in ({}, {"notify_customer": "on"}):
        form = (await browser.get(path)).form(path)
        assert "notify_customer" not in dict(form.fields)
        what = {"what": "amount", "amount": "5", "mode": "recorded", "public_comment": "Merci."}
        typed = {**dict(form.fields), **what, **ticked}
        shown = await browser.post(path, list(typed.items()))
        assert ("No mail is sent." in shown.words) is not bool(ticked)
        assert (await browser.post(path, shown.form(path).filled(deed="refund"))).status == 202
    (_, silent), (_, event) = await sent(backoffice.desk, 2)
    assert (silent.notify_customer, event.notify_customer) == (False, True)
    assert event.public_comment == "Merci."


async def test_a_refund_states_what_it_is_for(backoffice: Backoffice) -> None:
    browser, placed = await backoffice.signed_in(), await _paid(backoffice)
    path = f"/orders/{placed.code}/refund"
    form = (await browser.get(path)).form(path)
    none = await browser.post(path, form.filled(amount="5", mode="recorded"))
    assert (none.status, "Choose at least one unit." in none.words) == (422, True)
    neither = await browser.post(path, form.filled(what="both", amount="5", mode="recorded"))
    assert neither.status == 422


@pytest.mark.rows("C12")
async def test_a_refund_the_provider_refused_is_shown_as_failed(backoffice: Backoffice) -> None:
    browser, placed = await backoffice.signed_in(), await _paid(backoffice)
    path = f"/orders/{placed.code}/refund"
    typed = (
        (await browser.get(path)).form(path).filled(what="amount", amount="84", mode="sent", reason="Geste")
    )
    fields = (await _checked(browser, path, typed)).filled(deed="refund")
    failed = refunded(placed.code, RefundFailed, detail="charge_already_refunded")
    shown = await _answered(backoffice, browser, path, fields, failed)
    assert shown.status == 422
    assert "Stripe refused the refund, so no money was paid back: charge_already_refunded" in shown.words
    again = shown.form(path)
    assert dict(again.fields)["reason"] == "Geste"
    assert dict(again.fields)["key"] != dict(fields)["key"]
    page = await browser.get(f"/orders/{placed.code}")
    assert "Stripe refused it: charge_already_refunded" in page.words


@pytest.mark.rows("B15")
async def test_a_mark_stays_unconfirmed_until_its_reference(backoffice: Backoffice) -> None:
    browser, placed = await backoffice.signed_in(), await _paid(backoffice, **BY_CHEQUE)
    path, page = f"/orders/{placed.code}/refund", f"/orders/{placed.code}"
    shown = await browser.get(path)
    assert "Send it through" not in shown.words
    typed = shown.form(path).filled(what="amount", mode="recorded", amount="20")
    fields = (await _checked(browser, path, typed)).filled(deed="refund")
    assert (
        await _answered(backoffice, browser, path, fields, refunded(placed.code, RefundMarked))
    ).status == 303
    shown = await browser.get(page)
    assert "recorded here only. Confirm it" in shown.words
    assert "Not confirmed yet" in shown.words
    to = f"{page}/refund-confirmation"
    confirming = shown.form(to).filled(reference="VIR 9")
    refused = rejected(Reason(code="already_confirmed", message="m", field="refund_id"))
    shown = await _answered(backoffice, browser, to, confirming, refused)
    assert (shown.status, "already confirmed" in shown.words) == (422, True)
    assert dict(shown.form(to).fields)["reference"] == "VIR 9"


async def test_an_uncertain_refund_shows_what_is_known_and_is_settled_by_a_person(
    backoffice: Backoffice,
) -> None:
    browser, placed = await backoffice.signed_in(), await _paid(backoffice)
    path, page = f"/orders/{placed.code}/refund", f"/orders/{placed.code}"
    typed = (await browser.get(path)).form(path).filled(what="amount", mode="sent", amount="20")
    fields = (await _checked(browser, path, typed)).filled(deed="refund")
    doubt = refunded(placed.code, RefundUncertain, detail="Stripe does not report whether it has the refund")
    assert (await _answered(backoffice, browser, path, fields, doubt)).status == 303
    shown = await browser.get(page)
    assert "It is not known yet whether the refund was made." in shown.words
    assert "It is unknown whether Stripe made this refund." in shown.words
    assert "Stripe does not report whether it has the refund" in shown.words
    to = f"{page}/refund-settlement"
    settling = shown.form(to).filled(verdict="not_made", reason="Absent du tableau de bord")
    busy = rejected(Reason(code="refund_being_asked", message="m", field="refund_id"))
    shown = await _answered(backoffice, browser, to, settling, busy)
    assert (shown.status, "is being looked up at the provider" in shown.words) == (422, True)
    assert '<option value="not_made" selected' in shown.text
    again = shown.form(to).filled(verdict="not_made")
    assert dict(again)["reason"] == "Absent du tableau de bord"
    assert (await browser.post(to, again)).status == 202
    (_, command) = (await sent(backoffice.desk, 3))[-1]
    assert (command.verdict, command.reason) == ("not_made", "Absent du tableau de bord")
    bad = await browser.post(to, {**dict(again), "verdict": "perhaps", "key": "key-123456789"})
    assert bad.status == 422


async def test_a_refund_that_was_made_is_settled_with_the_providers_reference(
    backoffice: Backoffice,
) -> None:
    browser, placed = await backoffice.signed_in(), await _paid(backoffice)
    path, page = f"/orders/{placed.code}/refund", f"/orders/{placed.code}"
    typed = (await browser.get(path)).form(path).filled(what="amount", mode="sent", amount="20")
    fields = (await _checked(browser, path, typed)).filled(deed="refund")
    doubt = refunded(placed.code, RefundUncertain, detail="Stripe does not report whether it has the refund")
    await _answered(backoffice, browser, path, fields, doubt)
    to = f"{page}/refund-settlement"
    form = (await browser.get(page)).form(to)
    bare = await browser.post(to, form.filled(verdict="made"))
    assert (bare.status, "Enter the refund’s reference" in bare.words) == (422, True)
    wrong = {**dict(bare.form(to).fields), "provider_reference": "re_1", "verdict": "not_made"}
    odd = await browser.post(to, wrong)
    assert (odd.status, "leave it out" in odd.words) == (422, True)
    again = odd.form(to).filled(verdict="made")
    assert dict(again)["provider_reference"] == "re_1"
    assert (await browser.post(to, again)).status == 202
    (_, command) = (await sent(backoffice.desk, 2))[-1]
    assert (command.verdict, command.provider_reference) == ("made", "re_1")


async def test_a_refund_noted_as_made_without_its_reference_requests_it(backoffice: Backoffice) -> None:
    browser, placed = await backoffice.signed_in(language="fr"), await _paid(backoffice)
    path, page = f"/orders/{placed.code}/refund", f"/orders/{placed.code}"
    typed = (await browser.get(path)).form(path).filled(what="amount", mode="sent", amount="20")
    fields = (await _checked(browser, path, typed)).filled(deed="refund")
    await _answered(backoffice, browser, path, fields, refunded(placed.code, RefundSent))
    shown, to = await browser.get(page), f"{page}/refund-settlement"
    assert "Son montant reste réservé tant que vous ne l’indiquez pas." in shown.words
    named = {**dict(shown.form(to).fields), "verdict": "made", "provider_reference": "re_1"}
    assert (await browser.post(to, named)).status == 202
    (_, command) = (await sent(backoffice.desk, 2))[-1]
    assert (command.verdict, command.provider_reference) == ("made", "re_1")


@pytest.mark.rows("A19")
async def test_what_was_paid_too_much_is_proposed_without_goods(backoffice: Backoffice) -> None:
    browser, placed = await backoffice.signed_in(), await _paid(backoffice, 10000)
    page = await browser.get(f"/orders/{placed.code}")
    path = f"/orders/{placed.code}/refund"
    assert f'class="button" href="{path}"' in page.text
    fields = dict((await browser.get(path)).form(path).fields)
    assert (fields["what"], fields["amount"], fields["quantity-1"]) == ("amount", "16.00", "0")
    refused = await browser.post(path, {**fields, "mode": "recorded", "amount": "x"})
    assert refused.status == 422


@pytest.mark.rows("A17")
async def test_a_payment_entered_by_mistake_is_countered(backoffice: Backoffice) -> None:
    browser, placed = await backoffice.signed_in(Role.ACCOUNTANT), await place(backoffice.desk, sale())
    entry = await receive(backoffice.desk, placed, **BY_CHEQUE)
    path = f"/orders/{placed.code}/reversal?entry={entry}"
    assert path in (await browser.get(f"/orders/{placed.code}")).text
    shown = await browser.get(path)
    assert "Still to pay: €84.00" in shown.words
    assert (await browser.post(path, shown.form(path).fields)).status == 422, "it takes a reason"
    fields = shown.form(path).filled(reason="Sans provision")
    assert (await browser.post(path, fields)).status == 202
    ((_, command),) = await sent(backoffice.desk)
    assert (command.entry_id, command.reason) == (entry, "Sans provision")
    assert "is in progress." in (await browser.get(f"/orders/{placed.code}")).words
    stranger = await backoffice.signed_in(shop="atelier")
    assert (await stranger.get(path)).status == 404


async def test_a_card_payment_is_not_taken_back_and_not_everybody_refunds(backoffice: Backoffice) -> None:
    placed = await place(backoffice.desk, sale())
    entry = await receive(backoffice.desk, placed)
    browser = await backoffice.signed_in()
    assert (await browser.get(f"/orders/{placed.code}/reversal?entry={entry}")).status == 303
    packer = await backoffice.signed_in(Role.FULFILMENT)
    path = f"/orders/{placed.code}/refund"
    assert path not in (await packer.get(f"/orders/{placed.code}")).text
    assert (await packer.get(path)).status == 403
    for action in ("refund", "refund-confirmation", "refund-settlement", f"reversal?entry={entry}"):
        answer = await packer.post(f"/orders/{placed.code}/{action}", {"key": "key-12345678"})
        assert answer.status == 403


async def test_a_stale_refund_sends_nothing_and_keeps_what_was_typed(backoffice: Backoffice) -> None:
    browser, other, placed = (
        await backoffice.signed_in(),
        await backoffice.signed_in(),
        await _paid(backoffice),
    )
    path = f"/orders/{placed.code}/refund"
    fields = (
        (await browser.get(path)).form(path).filled(what="amount", amount="5", mode="sent", reason="Abîmé")
    )
    comment = f"/orders/{placed.code}/comment"
    theirs = (await other.get(f"/orders/{placed.code}")).form(comment)
    await other.post(comment, {**dict(theirs.fields), "admin_comment": "Rendu au comptoir"})
    stale = await browser.post(path, fields)
    assert (stale.status, "Abîmé" in stale.words, "Comment added" in stale.words) == (409, True, True)
    assert await backoffice.desk.fetchval("select count(*) from command") == 0
