"""What a person says of webhooks and of money without an order: set aside once, with a reason; or looked at again."""

from typing import Any

import pytest

from contracts.payments.accounts import PaymentUnmatched
from tests.builders.orders import SHOP
from tests.payments.builders import (
    charge,
    endpoint,
    event,
    intent,
    intent_id,
    of_kind,
    placed,
    refund,
    session,
    succeeded,
)
from tests.payments.cashdesk import CashDesk
from tests.payments.conftest import CashDesks
from tests.payments.webhooks.test_money_is_seen import TOKEN
from tests.payments.webhooks.test_webhook_before_its_order import fire_timers

WHY = {"actor": "marie@maison.example", "reason": "Lien de paiement d’une autre boutique"}


async def _ask(cashdesk: CashDesk, path: str, body: dict[str, Any]) -> tuple[int, Any]:
    answer = await cashdesk.client.post(f"/internal/{path}", json=body, headers=TOKEN)
    return answer.status_code, answer.json()


@pytest.mark.parametrize("body", [b'{"shop": "another', b"[" * 100_000, b'["another", "marie"]'])
async def test_a_body_that_cannot_be_read_redrives_nothing(cashdesk: CashDesk, body: bytes) -> None:
    """Read as empty it would name no shop, and be nobody's."""
    await cashdesk.pay({**succeeded(intent_id()), "type": "payment_intent.unheard_of"})
    [webhook] = await cashdesk.desk.fetch("SELECT id, state FROM webhook")
    assert webhook["state"] == "parked"
    url = f"/internal/webhooks/{webhook['id']}/redrive"
    answer = await cashdesk.client.post(url, content=body, headers=TOKEN)
    assert answer.status_code == 422
    assert await cashdesk.desk.fetchval("SELECT state FROM webhook") == "parked"


async def _list(cashdesk: CashDesk, **query: str) -> dict[str, Any]:
    answer = await cashdesk.client.get("/internal/webhooks", params=query, headers=TOKEN)
    assert answer.status_code == 200
    listed: dict[str, Any] = answer.json()
    return listed


async def _unmatched(cashdesk: CashDesk) -> list[str]:
    answer = await cashdesk.client.get("/internal/unmatched", params={"shop": SHOP}, headers=TOKEN)
    return [one["object_id"] for one in answer.json()["payments"]]


def _money(payment: str) -> dict[str, str]:
    return {"shop": SHOP, "provider": "stripe", "provider_reference": payment, **WHY}


@pytest.mark.parametrize("is_late", [False, True])
async def test_foreign_money_is_set_aside_once_and_for_what_comes_later(
    cashdesk: CashDesk, is_late: bool
) -> None:
    payment = intent_id()
    await cashdesk.pay(
        succeeded(payment, 7000), event("checkout.session.completed", session("cs_1", payment, 7000))
    )
    if is_late:
        assert len(of_kind(await fire_timers(cashdesk), PaymentUnmatched)) == 2
    assert await _unmatched(cashdesk) == [payment]
    assert await _ask(cashdesk, "unmatched/set_aside", _money(payment)) == (200, {"webhooks": 2})
    assert await _ask(cashdesk, "unmatched/set_aside", _money(payment)) == (200, {"webhooks": 0})
    assert await _unmatched(cashdesk) == []
    later = event("charge.updated", charge("ch_1", payment, 7000), 90)
    await cashdesk.pay(later)
    assert await cashdesk.end_of(later) == ("irrelevant", "set_aside")
    assert await fire_timers(cashdesk) == []
    (row, *_) = (await _list(cashdesk, shop=SHOP))["webhooks"]
    assert row["detail"] == f"{WHY['actor']}: {WHY['reason']}"
    await cashdesk.check_ledger()


async def test_it_still_joins_an_order_that_names_the_payment(cashdesk: CashDesk) -> None:
    payment = intent_id()
    await cashdesk.pay(succeeded(payment, 7000))
    await _ask(cashdesk, "unmatched/set_aside", _money(payment))
    order = placed(7000, reference=payment)
    await cashdesk.desk.deliver(order)
    await cashdesk.apply()
    assert (await cashdesk.account(order))["balance_minor"] == 0


async def test_looking_again_takes_the_word_back(cashdesk: CashDesk) -> None:
    payment = intent_id()
    await cashdesk.pay(succeeded(payment, 7000))
    await _ask(cashdesk, "unmatched/set_aside", _money(payment))
    webhook_id = await cashdesk.desk.fetchval("SELECT id FROM webhook")
    status, _ = await _ask(cashdesk, f"webhooks/{webhook_id}/redrive", {"shop": SHOP, "actor": "marie"})
    assert status == 202
    await cashdesk.apply()
    assert await _unmatched(cashdesk) == [payment]


async def test_money_named_for_another_shop_is_looked_at_again_by_a_person(cashdesks: CashDesks) -> None:
    other = endpoint(slug="another-endpoint", shop="another")
    cashdesk, payment = await cashdesks(stripe_endpoints=(endpoint(), other)), intent_id()
    metadata = {"comptoir_shop": "another"}
    one, news = succeeded(payment, 7000, metadata=metadata), event("payment_intent.created", intent(payment))
    news["data"]["object"]["metadata"] = metadata
    await cashdesk.pay(one, news)
    assert {await cashdesk.end_of(each) for each in (one, news)} == {("irrelevant", "names_other_shop")}
    ids = {row["event_type"]: row["id"] for row in (await _list(cashdesk, shop=SHOP))["webhooks"]}
    body = {"shop": SHOP, "actor": "marie"}
    assert (await _ask(cashdesk, f"webhooks/{ids['payment_intent.created']}/redrive", body))[0] == 202
    await cashdesk.apply()
    assert await _unmatched(cashdesk) == [payment]
    assert len(of_kind(await fire_timers(cashdesk), PaymentUnmatched)) == 1
    assert await cashdesk.end_of(news) == ("irrelevant", "names_other_shop")
    assert await _ask(cashdesk, "unmatched/set_aside", _money(payment)) == (200, {"webhooks": 1})


async def test_news_of_another_shop_without_money_is_not_read_again(cashdesks: CashDesks) -> None:
    other = endpoint(slug="another-endpoint", shop="another")
    cashdesk = await cashdesks(stripe_endpoints=(endpoint(), other))
    news = event("payment_intent.created", intent(intent_id()))
    news["data"]["object"]["metadata"] = {"comptoir_shop": "another"}
    await cashdesk.pay(news)
    webhook_id = await cashdesk.desk.fetchval("SELECT id FROM webhook")
    assert (await _ask(cashdesk, f"webhooks/{webhook_id}/redrive", {"shop": SHOP}))[0] == 404


async def test_a_payment_stays_set_aside_when_nothing_of_it_could_be_read_again(cashdesk: CashDesk) -> None:
    payment = intent_id()
    await cashdesk.pay(succeeded(payment, 7000))
    await _ask(cashdesk, "unmatched/set_aside", _money(payment))
    webhook_id = await cashdesk.desk.fetchval("UPDATE webhook SET body = '{}' RETURNING id")
    body = {"shop": SHOP, "actor": "marie"}
    assert (await _ask(cashdesk, f"webhooks/{webhook_id}/redrive", body))[0] == 404
    later = event("charge.updated", charge("ch_1", payment, 7000), 90)
    await cashdesk.pay(later)
    assert await cashdesk.end_of(later) == ("irrelevant", "set_aside")


async def test_what_lost_its_content_with_time_is_not_read_again(cashdesk: CashDesk) -> None:
    payment = intent_id()
    await cashdesk.pay(succeeded(payment, 7000))
    await _ask(cashdesk, "unmatched/set_aside", _money(payment))
    webhook_id = await cashdesk.desk.fetchval("UPDATE webhook SET body = '{}' RETURNING id")
    assert (await _ask(cashdesk, f"webhooks/{webhook_id}/redrive", {"shop": SHOP, "actor": "marie"}))[
        0
    ] == 404


async def test_a_parked_webhook_is_set_aside_with_a_reason_and_only_in_its_shop(cashdesk: CashDesk) -> None:
    await cashdesk.pay(one := event("charge.something_new", charge("ch_1", None)))
    webhook_id = await cashdesk.desk.fetchval("SELECT id FROM webhook")
    path = f"webhooks/{webhook_id}/set_aside"
    assert await _ask(cashdesk, path, {**WHY, "shop": "another"}) == (200, {"webhooks": 0})
    assert (await _ask(cashdesk, path, {**WHY, "shop": SHOP, "reason": " "}))[0] == 422
    assert (await _ask(cashdesk, path, {**WHY, "shop": SHOP, "reason": "x" * 201}))[0] == 422
    assert await _ask(cashdesk, path, {**WHY, "shop": SHOP}) == (200, {"webhooks": 1})
    assert await cashdesk.end_of(one) == ("irrelevant", "set_aside")
    assert (await _ask(cashdesk, f"webhooks/{webhook_id}/redrive", {"shop": "another", "actor": "x"}))[
        0
    ] == 404
    assert (await _ask(cashdesk, f"webhooks/{webhook_id}/redrive", {"shop": SHOP, "actor": "x"}))[0] == 202
    await cashdesk.apply()
    assert await cashdesk.end_of(one) == ("parked", "type_unknown")


async def test_what_is_applied_is_neither_set_aside_nor_looked_at_again(cashdesk: CashDesk) -> None:
    await cashdesk.desk.deliver(placed(reference=(payment := intent_id())))
    await cashdesk.pay(succeeded(payment))
    webhook_id = await cashdesk.desk.fetchval("SELECT id FROM webhook")
    assert await _ask(cashdesk, f"webhooks/{webhook_id}/set_aside", {**WHY, "shop": SHOP}) == (
        200,
        {"webhooks": 0},
    )
    assert (await _ask(cashdesk, f"webhooks/{webhook_id}/redrive", {"shop": SHOP}))[0] == 404


async def test_a_shop_sees_its_own_webhooks_alone(cashdesks: CashDesks) -> None:
    other = endpoint(slug="another-endpoint", shop="another")
    cashdesk = await cashdesks(stripe_endpoints=(endpoint(), other))
    await cashdesk.post(succeeded(intent_id()))
    await cashdesk.post(succeeded(intent_id()), slug=other.slug)
    await cashdesk.post(succeeded(intent_id()), slug=other.slug)
    listed = await _list(cashdesk, shop="another", state="unread")
    assert [row["state"] for row in listed["webhooks"]] == ["unread"] * 2
    assert [(row["endpoint"], row["received"], row["unread"]) for row in listed["tally"]] == [
        (other.slug, 2, 2)
    ]
    assert [one["endpoint"] for one in listed["endpoints"]] == [other.slug]
    (first,) = (await _list(cashdesk, shop="another", limit="1"))["webhooks"]
    (second,) = (await _list(cashdesk, shop="another", before=first["id"]))["webhooks"]
    assert first["id"] > second["id"]


@pytest.mark.parametrize(
    ("came", "missing"),
    [
        ([], []),
        (["payment_intent.succeeded"], []),
        (["charge.succeeded"], ["payment_intent.succeeded"]),
        (["charge.succeeded", "payment_intent.succeeded"], []),
        (["payment_intent.succeeded", "charge.refunded"], ["refund.created"]),
        (["charge.dispute.closed"], ["charge.dispute.created"]),
    ],
)
async def test_a_needed_event_that_never_arrives_is_reported(
    cashdesk: CashDesk, came: list[str], missing: list[str]
) -> None:
    for type_ in came:
        await cashdesk.post(event(type_, refund("re_1", "pi_1", 5)))
    (endpoint,) = (await _list(cashdesk, shop=SHOP))["endpoints"]
    assert endpoint["missing"] == missing
    assert {one["type"] for one in endpoint["needed"] if one["last_at"]} == {
        one for one in came if one in {each["type"] for each in endpoint["needed"]}
    }
