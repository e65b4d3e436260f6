"""The same purchase has the same answer, whatever its storefront learnt meanwhile; another one is told apart."""

import json
from typing import Any

from contracts.envelope import uuid7
from contracts.orders.lifecycle import OrderPlaced, PaymentReferenced
from contracts.storefront import OrderAccepted, OrderRefused, OrderSubmitted
from services.chassis.testing import Desk, Outcome
from tests.builders.envelopes import deliver, enveloped
from tests.builders.submissions import a_checkout, a_line, a_sale, as_sale, dropped
from tests.conftest import Desks
from tests.orders.builders import money_for
from tests.orders.rest_client import TOKENS, client

EARLY = {"source_reference": None, "payment": {"method": "card"}}
LATE = {"method": "card", "provider": "stripe", "provider_reference": "pi_77"}


def changed(sale: OrderSubmitted, **changes: Any) -> OrderSubmitted:
    """The sale with other values."""
    return OrderSubmitted.model_validate({**sale.model_dump(exclude_none=True), **changes})


def codes(outcome: Outcome) -> list[str]:
    """Why it was refused."""
    return [reason.code for refused in outcome.messages_of(OrderRefused) for reason in refused.reasons]


async def stored(desk: Desk) -> dict[str, Any]:
    """The one stored submission with the order's reference and revision."""
    (row,) = await desk.fetch(
        "SELECT s.body, o.source_reference, o.revision FROM submission s JOIN orders o USING (shop, idempotency_key)"
    )
    return {**json.loads(row["body"]), "column": row["source_reference"], "revision": row["revision"]}


async def test_another_browser_address_or_time_is_the_same_purchase(desks: Desks) -> None:
    desk, sale = await desks("orders"), a_sale()
    first = await desk.deliver(sale)
    customer = sale.customer.model_dump(exclude_none=True)
    for differing in ({"ip_address": "198.51.100.4"}, {"browser": "Lynx"}, {"ip_address": None}):
        again = await desk.deliver(changed(sale, customer={**customer, **differing}))
        assert again.messages_of(OrderAccepted) == first.messages_of(OrderAccepted)
    assert (await stored(desk))["revision"] == 1


async def test_a_reference_learnt_later_joins_the_order(desks: Desks) -> None:
    desk, sale = await desks("orders"), a_sale(**EARLY)
    await desk.deliver(sale)
    again = await desk.deliver(changed(sale, payment=LATE, source_reference="W-7"))
    (accepted,) = again.messages_of(OrderAccepted)
    assert accepted.source_reference == "W-7"
    (named,) = again.messages_of(PaymentReferenced)
    assert (named.provider, named.provider_reference, named.code) == ("stripe", "pi_77", accepted.code)
    found = await stored(desk)
    assert (found["column"], found["source_reference"], found["payment"]) == ("W-7", "W-7", LATE)
    third = await desk.deliver(changed(sale, payment=LATE, source_reference="W-7"))
    assert third.messages_of(PaymentReferenced) == []
    assert (await stored(desk))["revision"] == found["revision"]
    assert await desk.fetchval("SELECT count(*) FROM activity WHERE kind = 'reference_added'") == 1


async def test_a_reference_joins_within_the_batch_that_places_the_order(desks: Desks) -> None:
    desk, sale = await desks("orders"), a_sale(**EARLY)
    late = changed(sale, payment=LATE, source_reference="W-7")
    one, other = await deliver(desk, enveloped("orders", [sale, late]), together=True)
    assert (len(one.messages_of(OrderPlaced)), len(other.messages_of(PaymentReferenced))) == (1, 1)
    found = await stored(desk)
    assert (found["column"], found["payment"]) == ("W-7", LATE)


async def test_a_second_payment_of_a_purchase_is_linked_beside_the_first(desks: Desks) -> None:
    desk, sale = await desks("orders"), a_sale()
    await desk.deliver(sale)
    again = await desk.deliver(changed(sale, payment=LATE))
    assert [one.provider_reference for one in again.messages_of(PaymentReferenced)] == ["pi_77"]
    assert (await stored(desk))["payment"]["provider_reference"] == "pi_1"


async def test_another_number_of_the_storefront_is_another_purchase(desks: Desks) -> None:
    desk, sale = await desks("orders"), a_sale()
    await desk.deliver(sale)
    outcome = await desk.deliver(changed(sale, source_reference="W-1002"))
    assert codes(outcome) == ["idempotency_conflict"]
    assert "source_reference" in outcome.messages_of(OrderRefused)[0].reasons[0].message


async def test_a_conflict_names_what_differs_and_the_order_and_never_advises_a_second_one(
    desks: Desks,
) -> None:
    desk, sale = await desks("orders"), a_sale()
    (accepted,) = (await desk.deliver(sale)).messages_of(OrderAccepted)
    (refused,) = (await desk.deliver(changed(sale, note="Merci", locale="en"))).messages_of(OrderRefused)
    message = refused.reasons[0].message
    assert "locale, note" in message
    assert accepted.code in message
    assert "send a new sale" not in message


async def test_a_sale_stored_under_older_rules_is_compared_by_its_content(desks: Desks) -> None:
    desk, sale = (
        await desks("orders"),
        a_sale(a_line(kind="booking", sku=None, starts_at="2026-12-01T18:00:00Z")),
    )
    first = await desk.deliver(sale)
    await desk.fetch("UPDATE submission SET content_hash = '\\x00'")
    assert (await desk.deliver(sale)).messages_of(OrderAccepted) == first.messages_of(OrderAccepted)
    assert codes(await desk.deliver(changed(sale, note="Merci"))) == ["idempotency_conflict"]


async def test_a_late_submission_of_a_checkout_that_the_hub_placed_is_accepted(desks: Desks) -> None:
    desk, opened = await desks("orders"), a_checkout(**EARLY)
    await desk.deliver(opened)
    await desk.deliver(dropped(opened, opened.opened_at))
    placed = await desk.deliver(money_for(opened))
    (accepted,) = placed.messages_of(OrderAccepted)
    late = as_sale(opened, payment=LATE, source_reference="W-7")
    for sale in (as_sale(opened), late, changed(late, checkout_id=None)):
        (answer,) = (await desk.deliver(sale)).messages_of(OrderAccepted)
        assert (answer.order_id, answer.code) == (opened.checkout_id, accepted.code)
    assert await desk.fetchval("SELECT count(*) FROM orders") == 1
    assert (await stored(desk))["payment"] == LATE
    other_key = await desk.deliver(changed(late, idempotency_key="another"))
    assert codes(other_key) == ["checkout_placed"]
    assert "send it with that key" in other_key.messages_of(OrderRefused)[0].reasons[0].message


async def test_another_sale_under_a_used_event_id_is_refused(desks: Desks) -> None:
    desk, event_id = await desks("orders"), uuid7()
    await desk.deliver(a_sale(), id=event_id)
    other = a_sale(a_line(quantity=5))
    assert codes(await desk.deliver(other, id=event_id)) == ["submission_id_taken"]
    assert (await desk.deliver(other, id=event_id)).result == "duplicate"
    assert len((await desk.deliver(other)).messages_of(OrderAccepted)) == 1


async def test_the_same_purchase_under_its_used_event_id_has_its_first_answer(desks: Desks) -> None:
    desk, sale, event_id = await desks("orders"), a_sale(), uuid7()
    first = await desk.deliver(sale, id=event_id)
    again = await desk.deliver(changed(sale, submitted_at="2026-11-22T10:00:00Z"), id=event_id)
    assert again.messages_of(OrderAccepted) == first.messages_of(OrderAccepted)


async def test_a_sale_under_the_event_id_of_a_refused_one_is_refused_too(desks: Desks) -> None:
    desk, event_id = await desks("orders"), uuid7()
    await desk.deliver(a_sale(payment=None), id=event_id)
    assert codes(await desk.deliver(a_sale(), id=event_id)) == ["submission_id_taken"]
    assert await desk.fetchval("SELECT count(*) FROM refusal") == 2


async def test_one_module_adds_nothing_to_another_modules_sale(desks: Desks) -> None:
    desk, event_id = await desks("orders", api_tokens=TOKENS), uuid7()
    sale = a_sale(shop="maison")
    await desk.deliver(sale, id=event_id)
    other = a_sale(module="slots")
    assert codes(await desk.deliver(other, id=event_id)) == ["submission_id_taken"]
    async with client(desk) as http:
        shown = (await http.get(f"/v1/submissions/shop/{sale.idempotency_key}")).json()
        refused = (await http.get(f"/v1/submissions/slots/{other.idempotency_key}")).json()
    assert (shown["answer"], shown["reasons"]) == ("placed", [])
    assert (refused["answer"], refused["reasons"][0]["code"]) == ("refused", "submission_id_taken")


async def test_a_refused_sale_that_is_placed_after_its_correction_is_shown_as_placed(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    wrong = a_sale(payment=None)
    await desk.deliver(wrong)
    await desk.deliver(changed(wrong, payment=LATE))
    async with client(desk) as http:
        shown = (await http.get(f"/v1/submissions/shop/{wrong.idempotency_key}")).json()
    assert (shown["answer"], shown["reasons"]) == ("placed", [])
