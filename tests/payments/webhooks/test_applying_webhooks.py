"""Stored webhooks become money, once, on the right account."""

from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY

from contracts.payments.accounts import BalanceChanged, PaymentSettled, PaymentUnmatched, ReassignPayment
from contracts.sale import PaymentMethod
from tests.builders.orders import SHOP
from tests.payments.builders import (
    as_body,
    capturable,
    endpoint,
    event,
    intent,
    intent_id,
    names,
    of_kind,
    placed,
    record,
    succeeded,
)
from tests.payments.cashdesk import CashDesk
from tests.payments.conftest import CashDesks
from tests.payments.webhooks.test_webhook_before_its_order import fire_timers

NEWS = [
    "account.updated",
    "balance.available",
    "customer.updated",
    "invoice.paid",
    "mandate.updated",
    "payment_link.created",
    "payout.paid",
    "transfer.paid",
]


async def test_a_card_payment_settles_the_order(cashdesk: CashDesk) -> None:
    payment = intent_id()
    order = placed(5000, reference=payment)
    await cashdesk.desk.deliver(order)
    one = succeeded(payment)
    emitted = await cashdesk.pay(one)
    (settled,), (changed,) = of_kind(emitted, PaymentSettled), of_kind(emitted, BalanceChanged)
    assert (settled.method, settled.provider, settled.provider_reference) == (
        PaymentMethod.CARD,
        "stripe",
        payment,
    )
    assert (settled.amount_minor, settled.balance_minor, settled.recorded_by) == (5000, 0, "stripe")
    assert (changed.position.balance_minor, changed.position.attempt) == (0, "settled")
    assert [envelope.sequence for envelope, _ in emitted] == [2, 3]
    assert await cashdesk.end_of(one) == ("applied", None)


async def test_a_whole_life_of_events_in_one_batch_emits_one_position(cashdesk: CashDesk) -> None:
    payment = intent_id()
    await cashdesk.desk.deliver(placed(reference=payment))
    created = event("payment_intent.created", intent(payment), 0)
    charge = event("charge.succeeded", {"id": "ch_1", "object": "charge", "payment_intent": payment}, 9)
    emitted = await cashdesk.pay(created, succeeded(payment), charge)
    assert len(of_kind(emitted, BalanceChanged)) == 1
    assert await cashdesk.end_of(charge) == ("irrelevant", "intent_says_it")


async def test_two_endpoints_telling_of_one_payment_are_one_receipt(cashdesks: CashDesks) -> None:
    twin = endpoint(slug="second-endpoint")
    cashdesk = await cashdesks(stripe_endpoints=(endpoint(), twin))
    payment = intent_id()
    order = placed(reference=payment)
    await cashdesk.desk.deliver(order)
    one = succeeded(payment)
    await cashdesk.post(one)
    await cashdesk.post(one, slug=twin.slug)
    emitted = await cashdesk.apply()
    assert len(of_kind(emitted, PaymentSettled)) == 1
    states = await cashdesk.desk.fetch("SELECT state FROM webhook ORDER BY state")
    assert [row["state"] for row in states] == ["applied", "duplicate"]
    assert (await cashdesk.account(order))["balance_minor"] == 0


async def test_another_event_about_the_same_money_is_a_duplicate(cashdesk: CashDesk) -> None:
    payment = intent_id()
    await cashdesk.desk.deliver(placed(reference=payment))
    await cashdesk.pay(succeeded(payment))
    again = succeeded(payment)
    assert await cashdesk.pay(again) == []
    assert await cashdesk.end_of(again) == ("duplicate", None)


@pytest.mark.parametrize("together", [True, False])
async def test_a_session_and_its_intent_may_report_the_same_in_the_same_second(
    cashdesk: CashDesk, together: bool
) -> None:
    """The session began a minute after its payment: two facts, neither of which stands in the other's way."""
    payment = intent_id()
    order = placed(reference=payment)
    await cashdesk.desk.deliver(order)
    resource = intent(payment)
    session = {
        "id": "cs_1",
        "payment_intent": payment,
        "payment_status": "unpaid",
        "created": resource["created"] + 60,
    }
    texts = [
        event("payment_intent.processing", resource, 90),
        event("checkout.session.completed", session, 90),
    ]
    for batch in [texts] if together else [[one] for one in texts]:
        await cashdesk.pay(*batch)
    assert [await cashdesk.end_of(one) for one in texts] == [("applied", None)] * 2
    assert (await cashdesk.account(order))["attempt"] == "pending"


async def test_a_greater_sum_of_the_same_payment_posts_the_difference(cashdesk: CashDesk) -> None:
    payment = intent_id()
    order = placed(5000, reference=payment)
    await cashdesk.desk.deliver(order)
    await cashdesk.pay(succeeded(payment, 3000), succeeded(payment, 5000), succeeded(payment, 4000))
    assert await cashdesk.entries(order) == [
        ("order_total", 5000),
        ("payment_received", 3000),
        ("payment_received", 2000),
    ]


async def test_captures_in_parts(cashdesk: CashDesk) -> None:
    payment = intent_id()
    order = placed(10_000, reference=payment)
    await cashdesk.desk.deliver(order)
    await cashdesk.pay(capturable(payment, 10_000, amount_capturable=10_000, at=1))
    assert (await cashdesk.account(order))["authorised_minor"] == 10_000
    await cashdesk.pay(capturable(payment, 10_000, amount_capturable=6000, amount_received=4000, at=2))
    account = await cashdesk.account(order)
    assert (account["authorised_minor"], account["received_minor"], account["attempt"]) == (
        6000,
        4000,
        "captured",
    )
    await cashdesk.pay(succeeded(payment, 9000))
    account = await cashdesk.account(order)
    assert (account["authorised_minor"], account["received_minor"], account["attempt"]) == (
        0,
        9000,
        "settled",
    )
    assert await cashdesk.entries(order) == [
        ("order_total", 10_000),
        ("authorised", 10_000),
        ("payment_received", 4000),
        ("authorisation_released", 4000),
        ("payment_received", 5000),
        ("authorisation_released", 6000),
    ]


async def test_an_authorisation_that_is_cancelled_is_released(cashdesk: CashDesk) -> None:
    payment = intent_id()
    order = placed(5000, reference=payment)
    await cashdesk.desk.deliver(order)
    authorised = capturable(payment, amount_capturable=5000)
    cancelled = event("payment_intent.canceled", intent(payment, cancellation_reason="abandoned"), 2)
    await cashdesk.pay(cancelled, authorised)
    account = await cashdesk.account(order)
    assert (account["authorised_minor"], account["attempt"], account["balance_minor"]) == (
        0,
        "cancelled",
        5000,
    )


async def test_a_failed_attempt_is_flagged_and_owes_nothing_new(cashdesk: CashDesk) -> None:
    payment = intent_id()
    await cashdesk.desk.deliver(placed(reference=payment))
    emitted = await cashdesk.pay(event("payment_intent.payment_failed", intent(payment), 3))
    (changed,) = of_kind(emitted, BalanceChanged)
    assert changed.position.flags == ["last_attempt_failed"]
    assert changed.position.balance_minor == 5000


async def test_another_currency_is_parked_and_reported(cashdesk: CashDesk) -> None:
    payment = intent_id()
    order = placed(5000, reference=payment)
    await cashdesk.desk.deliver(order)
    one = succeeded(payment, 5000, "usd")
    emitted = await cashdesk.pay(one)
    (unmatched,) = of_kind(emitted, PaymentUnmatched)
    assert (unmatched.amount_minor, unmatched.currency, unmatched.reason) == (5000, "USD", "currency_differs")
    assert await cashdesk.end_of(one) == ("parked", "currency_differs")
    assert (await cashdesk.account(order))["balance_minor"] == 5000


async def test_money_by_card_and_by_hand_add_up(cashdesk: CashDesk) -> None:
    payment = intent_id()
    order = placed(5000, reference=payment)
    await cashdesk.desk.deliver(order)
    await cashdesk.desk.deliver(record(order, 2000))
    await cashdesk.pay(succeeded(payment, 5000))
    account = await cashdesk.account(order)
    assert (account["balance_minor"], account["received_by_hand_minor"]) == (-2000, 2000)


async def test_the_order_is_found_by_what_the_storefront_wrote(cashdesk: CashDesk) -> None:
    order = placed()
    await cashdesk.desk.deliver(order)
    await cashdesk.pay(succeeded(intent_id(), **names(order)))
    assert (await cashdesk.account(order))["balance_minor"] == 0
    assert await cashdesk.desk.fetchval("SELECT count(*) FROM provider_object") == 1


async def test_an_order_named_for_another_shop_with_an_endpoint_is_not_touched_and_waits_nowhere(
    cashdesks: CashDesks,
) -> None:
    other = endpoint(slug="another-endpoint", shop="another-shop")
    cashdesk, order = await cashdesks(stripe_endpoints=(endpoint(), other)), placed()
    await cashdesk.desk.deliver(order)
    metadata = {"comptoir_order_id": str(order.order_id), "comptoir_shop": "another-shop"}
    one = succeeded(intent_id(), metadata=metadata)
    assert await cashdesk.pay(one) == []
    assert await cashdesk.end_of(one) == ("irrelevant", "names_other_shop")
    assert await cashdesk.desk.fetchval("SELECT count(*) FROM msg.timer") == 0
    assert (await cashdesk.account(order))["balance_minor"] == 5000


async def test_money_that_names_a_shop_without_an_endpoint_is_reported_and_a_person_can_assign_it(
    cashdesk: CashDesk,
) -> None:
    """A misspelt shop in the storefront's metadata: nobody else reports this money."""
    order, payment = placed(), intent_id()
    await cashdesk.desk.deliver(order)
    metadata = {"comptoir_order_id": str(order.order_id), "comptoir_shop": "maisson"}
    one = succeeded(payment, metadata=metadata)
    assert await cashdesk.pay(one) == []
    assert await cashdesk.end_of(one) == ("waiting", "order_unknown")
    (event,) = of_kind(await fire_timers(cashdesk), PaymentUnmatched)
    assert (event.provider_reference, event.amount_minor, event.order_id) == (payment, 5000, None)
    assert (await cashdesk.account(order))["balance_minor"] == 5000
    names_it = {"provider": "stripe", "provider_reference": payment}
    await cashdesk.desk.deliver(
        ReassignPayment(shop=SHOP, order_id=order.order_id, actor="marie", **names_it)
    )
    await cashdesk.apply()
    assert (await cashdesk.account(order))["balance_minor"] == 0


async def test_a_session_names_the_order_of_its_intent(cashdesk: CashDesk) -> None:
    order, payment = placed(), intent_id()
    await cashdesk.desk.deliver(order)
    money = succeeded(payment)
    await cashdesk.pay(money)
    assert await cashdesk.end_of(money) == ("waiting", "order_unknown")
    session = {
        "id": f"cs_{uuid4().hex}",
        "object": "checkout.session",
        "created": 1_794_999_999,
        "client_reference_id": str(order.order_id),
        "payment_intent": payment,
        "payment_status": "paid",
        "currency": "eur",
    }
    await cashdesk.pay(event("checkout.session.completed", session))
    assert (await cashdesk.account(order))["balance_minor"] == 0
    assert await cashdesk.end_of(money) == ("applied", None)


async def test_a_charge_without_intent_is_money_by_itself(cashdesk: CashDesk) -> None:
    order = placed()
    await cashdesk.desk.deliver(order)
    charge = {
        "id": f"ch_{uuid4().hex}",
        "object": "charge",
        "created": 1_795_000_000,
        "payment_intent": None,
        "paid": True,
        "captured": True,
        "amount": 5000,
        "amount_captured": 5000,
        "currency": "eur",
        **names(order),
    }
    await cashdesk.pay(event("charge.succeeded", charge), event("charge.updated", charge))
    assert (await cashdesk.account(order))["balance_minor"] == 0


@pytest.mark.parametrize(
    ("type_", "end"),
    [
        ("refund.created", ("parked", "amount_unusable")),
        ("charge.refunded", ("irrelevant", "refund_says_it")),
        ("charge.dispute.funds_withdrawn", ("parked", "amount_unusable")),
        ("payment_intent.partially_funded", ("parked", "amount_unusable")),
        ("something.new", ("parked", "type_unknown")),
        ("charge.something_new", ("parked", "type_unknown")),
        *((type_, ("irrelevant", "no_money_of_an_order")) for type_ in NEWS),
    ],
)
async def test_what_these_books_do_not_post_stays_visible(
    cashdesk: CashDesk, type_: str, end: tuple[str, str]
) -> None:
    one = event(type_, {"id": "re_1", "object": "refund", "payment_intent": "pi_1", "amount": 500})
    await cashdesk.pay(one)
    assert await cashdesk.end_of(one) == end


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"livemode": True}, "livemode_differs"),
        ({"account": "acct_1"}, "account_unexpected"),
        ({"object": "v2.core.event"}, "shape_unexpected"),
        ({"data": {}}, "shape_unexpected"),
        ({"created": "yesterday"}, "shape_unexpected"),
    ],
)
async def test_an_event_of_another_world_is_parked(
    cashdesk: CashDesk, changes: dict[str, Any], reason: str
) -> None:
    payment = intent_id()
    order = placed(reference=payment)
    await cashdesk.desk.deliver(order)
    one = {**succeeded(payment), **changes}
    await cashdesk.pay(one)
    assert await cashdesk.end_of(one) == ("parked", reason)
    assert (await cashdesk.account(order))["balance_minor"] == 5000


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "requires_capture"},
        {"amount_received": "5000"},
        {"amount_received": 50.0},
        {"amount_received": -5000},
        {"currency": "xxx"},
        {"currency": None},
        {"id": 5},
    ],
)
async def test_an_amount_or_state_that_makes_no_sense_is_parked(
    cashdesk: CashDesk, fields: dict[str, Any]
) -> None:
    payment = intent_id()
    order = placed(reference=payment)
    await cashdesk.desk.deliver(order)
    one = succeeded(payment)
    one["data"]["object"].update(fields)
    await cashdesk.pay(one)
    assert (await cashdesk.end_of(one))[0] == "parked"
    assert (await cashdesk.account(order))["balance_minor"] == 5000


async def test_a_webhook_that_breaks_the_rules_is_parked_and_the_others_go_on(cashdesk: CashDesk) -> None:
    payment, full = intent_id(), intent_id()
    order = placed(reference=payment)
    brimful = placed(2**53 - 1, reference=full)
    await cashdesk.desk.deliver(order)
    await cashdesk.desk.deliver(brimful)
    await cashdesk.desk.deliver(record(brimful, 2**53 - 1))
    breaking = succeeded(full, 2**53 - 1)
    before = parked_so_far()
    await cashdesk.pay(breaking, succeeded(payment))
    assert await cashdesk.end_of(breaking) == ("parked", "failed")
    assert (await cashdesk.account(order))["balance_minor"] == 0
    assert parked_so_far() - before == 1


def parked_so_far() -> float:
    """The webhooks of Stripe that were parked, as Prometheus reads them."""
    labels = {"provider": "stripe", "state": "parked"}
    return REGISTRY.get_sample_value("comptoir_webhooks_ended_total", labels) or 0


async def test_one_payment_naming_two_orders_stays_with_the_first(cashdesk: CashDesk) -> None:
    first, second, payment = placed(), placed(), intent_id()
    await cashdesk.desk.deliver(first)
    await cashdesk.desk.deliver(second)
    kind = "payment_intent.processing"
    await cashdesk.pay(event(kind, intent(payment, **names(first))), succeeded(payment, **names(second)))
    assert (await cashdesk.account(first))["balance_minor"] == 0
    assert (await cashdesk.account(second))["balance_minor"] == 5000


async def test_money_that_another_account_has_is_parked_and_the_others_go_on(cashdesk: CashDesk) -> None:
    """A link that was lost: the ledger's own key still keeps the money from being counted twice."""
    first, second, payment, other = placed(), placed(), intent_id(), intent_id()
    third = placed(reference=other)
    for order in (first, second, third):
        await cashdesk.desk.deliver(order)
    await cashdesk.pay(succeeded(payment, **names(first)))
    await cashdesk.hub.pool.execute("DELETE FROM provider_object WHERE object_id = $1", payment)
    again = succeeded(payment, **names(second))
    await cashdesk.pay(again, succeeded(other))
    assert await cashdesk.end_of(again) == ("parked", "failed")
    assert (await cashdesk.account(second))["balance_minor"] == 5000
    assert (await cashdesk.account(third))["balance_minor"] == 0


async def test_an_endpoint_taken_out_of_the_settings_parks_what_it_had(cashdesks: CashDesks) -> None:
    first = await cashdesks()
    one = succeeded(intent_id())
    await first.post(one)
    url = first.hub.settings.database_url.get_secret_value()
    later = await cashdesks(url, stripe_endpoints=())
    await later.apply()
    assert await later.end_of(one) == ("parked", "endpoint_unknown")


async def test_a_parked_webhook_is_retried_by_staff(cashdesks: CashDesks) -> None:
    """The endpoint is back in the settings: the money that came meanwhile is not lost."""
    first, order = await cashdesks(), placed(reference=(payment := intent_id()))
    one = succeeded(payment)
    await first.post(one)
    await first.desk.deliver(order)
    url = first.hub.settings.database_url.get_secret_value()
    await (await cashdesks(url, stripe_endpoints=())).apply()
    webhook_id = await first.hub.pool.fetchval("SELECT id FROM webhook WHERE state = 'parked'")
    path = f"/internal/webhooks/{webhook_id}/redrive"
    right = {"authorization": "Bearer a-token-for-tests-only"}
    assert (await first.client.post(path)).status_code == 401
    assert (await first.client.post(path, headers=right)).status_code == 202
    await first.apply()
    assert (await first.account(order))["balance_minor"] == 0
    assert (await first.client.post(path, headers=right)).status_code == 404


async def test_the_ledger_as_the_back_office_reads_it(cashdesk: CashDesk) -> None:
    payment = intent_id()
    order = placed(reference=payment)
    await cashdesk.desk.deliver(order)
    await cashdesk.pay(succeeded(payment))
    right = {"authorization": "Bearer a-token-for-tests-only"}
    path = f"/internal/accounts/{SHOP}/{order.order_id}"
    answer: Any = (await cashdesk.client.get(path, headers=right)).json()
    assert [entry["kind"] for entry in answer["entries"]] == ["order_total", "payment_received"]
    assert answer["account"]["balance_minor"] == 0
    assert (await cashdesk.client.get(path)).status_code == 401
    assert (
        await cashdesk.client.get(f"/internal/accounts/{SHOP}/{uuid4()}", headers=right)
    ).status_code == 404


def test_the_builder_writes_as_stripe_does() -> None:
    assert b"\n  " in as_body(succeeded("pi_1"))
