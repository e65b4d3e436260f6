"""A checkout is shown from its first page on, ends after five minutes, and is placed or abandoned."""

import itertools
import json
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.envelope import uuid7
from contracts.orders.lifecycle import (
    Abandonment,
    CheckoutAbandoned,
    CheckoutResumed,
    OrderPlaced,
    OrderStateChanged,
)
from contracts.storefront import CheckoutOpened, OrderAccepted, OrderRefused
from services.chassis.background.workers import timer_worker
from services.chassis.messaging.inbound.raw_message import RawMessage
from services.chassis.testing import Desk, envelope_for
from services.orders.order.intake.checking_out import run_out
from services.orders.order.short_code import code_of
from services.orders.order.unit.checkouts.checkouts import TIMER
from tests.builders.submissions import SHOP, a_checkout, a_line, a_sale, as_sale, dropped
from tests.conftest import Desks
from tests.orders.builders import money_for
from tests.orders.tables import equal_after_shuffle

LOGIN = "storefront.maison.shop"
MINUTE = timedelta(minutes=1)


async def fire_timers(desk: Desk) -> list[Any]:
    """Fire the timers that are due; what was said."""
    desk._units.clear()
    worker = timer_worker({TIMER: run_out})
    while await worker._run(desk.hub):
        pass
    return [message for _, message in desk.emitted()]


async def the_order(desk: Desk) -> Any:
    (order,) = await desk.fetch("SELECT * FROM orders")
    return order


def again(opened: CheckoutOpened, after: timedelta, **changes: Any) -> CheckoutOpened:
    """The same checkout, opened again so much later."""
    later = {"opened_at": opened.opened_at + after, **changes}
    return CheckoutOpened.model_validate({**opened.model_dump(), **later})


async def test_a_checkout_is_shown_with_what_is_known_of_it(desks: Desks) -> None:
    desk = await desks("orders")
    opened = CheckoutOpened(
        shop=SHOP,
        module="shop",
        checkout_id=uuid7(),
        idempotency_key="k",
        opened_at=datetime.now(UTC),
        currency="EUR",
        customer={"email": "zoe@"},
        lines=[a_line(), a_line(quantity=0)],
    )
    outcome = await desk.deliver(opened, user_id=LOGIN)
    order = await the_order(desk)
    assert (outcome.result, outcome.emitted) == ("handled", [])
    assert (order["order_id"], order["code"]) == (opened.checkout_id, code_of(opened.checkout_id))
    assert (order["state"], order["payment_status"], order["stage"]) == (
        "in_checkout",
        "in_progress",
        "checkout",
    )
    assert (order["customer_name"], order["customer_email"], order["payment_method"]) == (None, "zoe@", None)
    assert (order["total_minor"], order["due_minor"], order["balance_minor"]) == (2400, 0, 0)
    assert (order["units_to_pack"], order["fulfilment_status"]) == (0, "not_required")
    assert [row["line"] for row in await desk.fetch("SELECT line FROM order_line")] == [1]
    due = await desk.fetchval("SELECT due_at FROM msg.timer")
    assert due == opened.opened_at + 5 * MINUTE


async def test_it_is_abandoned_when_its_time_runs_out_and_open_again_when_its_customer_is_back(
    desks: Desks,
) -> None:
    desk, opened = await desks("orders"), a_checkout()
    await desk.deliver(opened, user_id=LOGIN)
    emitted = await fire_timers(desk)
    (abandoned,) = [message for message in emitted if isinstance(message, CheckoutAbandoned)]
    assert (abandoned.order_id, abandoned.cause) == (opened.checkout_id, Abandonment.TIMED_OUT)
    assert abandoned.customer is not None
    assert (await the_order(desk))["payment_status"] == "abandoned"
    outcome = await desk.deliver(again(opened, timedelta(hours=1), lines=[a_line(quantity=9)]), user_id=LOGIN)
    assert [type(message) for _, message in outcome.emitted] == [OrderStateChanged, CheckoutResumed]
    order = await the_order(desk)
    assert (order["state"], order["revision"]) == ("in_checkout", 3)
    assert [row["quantity"] for row in await desk.fetch("SELECT quantity FROM order_line")] == [9]
    assert await fire_timers(desk) == []
    history = await desk.fetch("SELECT previous_state, state FROM state_change ORDER BY sequence")
    assert [tuple(row) for row in history] == [("in_checkout", "abandoned"), ("abandoned", "in_checkout")]


async def test_a_timer_of_an_opening_that_was_outlived_ends_nothing(desks: Desks) -> None:
    desk, opened = await desks("orders"), a_checkout()
    await desk.deliver(opened, user_id=LOGIN)
    payload = {
        "shop": SHOP,
        "checkout_id": str(opened.checkout_id),
        "opened_at": opened.opened_at.isoformat(),
        "opening_id": str(uuid7()),
    }
    await desk.deliver(again(opened, timedelta(hours=1)), user_id=LOGIN)
    async with desk.unit() as unit:
        await run_out(unit, "", payload)
    assert (await the_order(desk))["state"] == "in_checkout"


async def test_a_dropped_one_is_abandoned_immediately(desks: Desks) -> None:
    desk, opened = await desks("orders"), a_checkout()
    await desk.deliver(opened, user_id=LOGIN)
    outcome = await desk.deliver(dropped(opened, opened.opened_at + MINUTE), user_id=LOGIN)
    assert [message.cause for message in outcome.messages_of(CheckoutAbandoned)] == [Abandonment.DROPPED]
    assert (await the_order(desk))["state"] == "abandoned"
    assert await desk.fetchval("SELECT count(*) FROM msg.timer") == 0


@pytest.mark.parametrize(
    ("expected", "passed_on"),
    [
        ("https://boutique.example/panier/88231?reprise=Xk3", True),
        ("http://boutique.example/panier/88231", False),
        ("javascript:alert(1)", False),
        ("https://boutique.example/\r\nBcc: all@example.org", False),
        ('https://boutique.example/"onclick', False),
        ("https://boutique.example@evil.example/", False),
        ("https://boutique.example:443@evil.example", False),
        ("https://boutique.example/panier/\u202egnp.exe", False),
        ("https://bou\u200btique.example/panier", False),
        ("https://boutique.example/panier?mail=zoe@x.example", True),
        ("https://boutique.example", True),
        (None, False),
    ],
)
async def test_the_way_back_is_passed_on_if_a_mail_may_link_to_it(
    desks: Desks, expected: str | None, passed_on: bool
) -> None:
    desk, opened = await desks("orders"), a_checkout(resume_url=expected)
    await desk.deliver(opened, user_id=LOGIN)
    outcome = await desk.deliver(dropped(opened, opened.opened_at + MINUTE), user_id=LOGIN)
    assert [message.resume_url for message in outcome.messages_of(CheckoutAbandoned)] == [
        expected if passed_on else None
    ]
    is_dropped = expected is not None and not passed_on
    assert await fields_left_out(desk) == (["resume_url"] if is_dropped else [])


async def fields_left_out(desk: Desk) -> list[str]:
    """The fields that the checkout's activities name as left out."""
    rows = await desk.fetch("SELECT data FROM activity WHERE kind = 'sale_adapted'")
    reasons = [reason for row in rows for reason in json.loads(row["data"])["reasons"]]
    assert {reason["code"] for reason in reasons} <= {"value_left_out"}
    return [reason["field"] for reason in reasons]


@pytest.mark.parametrize("link", ["https://boutique.example/" + "p" * 2075, 7], ids=["too long", "a number"])
async def test_a_link_that_its_schema_rejects_does_not_lose_the_checkout(desks: Desks, link: Any) -> None:
    desk, opened = await desks("orders"), a_checkout()
    for body in ({**opened.model_dump(mode="json", exclude_none=True), "resume_url": link},) * 2:
        arrival = RawMessage(
            "orders.storefront", envelope_for("orders", opened).headers(), json.dumps(body).encode(), LOGIN
        )
        (handled,) = await desk.hub.committer.commit([arrival])
        assert handled.end.value == "handled", handled.detail
    assert (await the_order(desk))["state"] == "in_checkout"
    assert await fields_left_out(desk) == ["resume_url"], "once per checkout"
    outcome = await desk.deliver(dropped(opened, opened.opened_at + MINUTE), user_id=LOGIN)
    assert [message.resume_url for message in outcome.messages_of(CheckoutAbandoned)] == [None]


async def test_a_submission_places_it_and_no_later_message_changes_that(desks: Desks) -> None:
    desk, opened = await desks("orders"), a_checkout()
    await desk.deliver(opened, user_id=LOGIN)
    outcome = await desk.deliver(as_sale(opened), user_id=LOGIN)
    (placed,), (accepted,) = outcome.messages_of(OrderPlaced), outcome.messages_of(OrderAccepted)
    assert placed.order_id == accepted.order_id == opened.checkout_id
    before = await the_order(desk)
    assert (before["state"], before["stage"], before["code"]) == ("awaiting_payment", "placed", placed.code)
    assert (before["due_minor"], before["units_to_pack"]) == (placed.totals.total_minor, 3)
    for late in (again(opened, timedelta(hours=1)), dropped(opened, datetime.now(UTC))):
        assert (await desk.deliver(late, user_id=LOGIN)).emitted == []
    assert await fire_timers(desk) == []
    assert dict(await the_order(desk)) == dict(before)
    assert await desk.fetchval("SELECT body FROM checkout") is None


async def test_a_repeat_of_the_submission_gets_the_first_answer(desks: Desks) -> None:
    desk, opened = await desks("orders"), a_checkout()
    await desk.deliver(opened, user_id=LOGIN)
    first, second = [await desk.deliver(as_sale(opened), user_id=LOGIN) for _ in range(2)]
    assert first.messages_of(OrderAccepted) == second.messages_of(OrderAccepted)
    assert second.messages_of(OrderPlaced) == []
    other = await desk.deliver(as_sale(opened, note="Something else."), user_id=LOGIN)
    assert [reason.code for reason in other.messages_of(OrderRefused)[0].reasons] == ["idempotency_conflict"]
    key = await desk.deliver(as_sale(opened, idempotency_key="another"), user_id=LOGIN)
    assert [reason.code for reason in key.messages_of(OrderRefused)[0].reasons] == ["checkout_placed"]


async def test_a_refused_submission_leaves_the_checkout_and_a_corrected_one_places_it(desks: Desks) -> None:
    desk, opened = await desks("orders"), a_checkout()
    await desk.deliver(opened, user_id=LOGIN)
    wrong = as_sale(opened, payment=None)
    first = await desk.deliver(wrong, user_id=LOGIN)
    assert (await the_order(desk))["state"] == "in_checkout"
    corrected = await desk.deliver(as_sale(opened, idempotency_key="corrected"), user_id=LOGIN)
    assert corrected.messages_of(OrderAccepted)[0].order_id == opened.checkout_id
    repeated = await desk.deliver(wrong, user_id=LOGIN)
    placed_meanwhile, *reasons = repeated.messages_of(OrderRefused)[0].reasons
    assert placed_meanwhile.code == "checkout_placed"
    assert reasons == first.messages_of(OrderRefused)[0].reasons


async def test_another_storefront_can_not_touch_it(desks: Desks) -> None:
    desk, opened = await desks("orders"), a_checkout()
    await desk.deliver(opened, user_id=LOGIN)
    before = dict(await the_order(desk))
    for login in ("storefront.other.shop", "storefront.maison.events"):
        for message in (again(opened, MINUTE), dropped(opened, datetime.now(UTC))):
            envelope = envelope_for("orders", message)
            outcome = await desk.deliver(message, envelope=envelope, user_id=login)
            assert (outcome.result, outcome.detail[:13]) == ("parked", "not_your_shop")
    events = {"module": "events"}
    for message in (
        again(opened, MINUTE, **events),
        dropped(again(opened, MINUTE, **events), datetime.now(UTC)),
    ):
        outcome = await desk.deliver(message, user_id="storefront.maison.events")
        assert (outcome.result, outcome.detail[:17]) == ("parked", "not_your_checkout")
    sale = as_sale(opened, **events)
    refused = await desk.deliver(sale, user_id="storefront.maison.events")
    assert [reason.code for reason in refused.messages_of(OrderRefused)[0].reasons] == ["not_your_checkout"]
    assert dict(await the_order(desk)) == before


async def test_a_checkout_of_tomorrow_is_not_believed(desks: Desks) -> None:
    desk = await desks("orders")
    outcome = await desk.deliver(a_checkout(opened_at=datetime.now(UTC) + timedelta(days=1)), user_id=LOGIN)
    assert (outcome.result, outcome.detail[:16]) == ("parked", "opened_in_future")


PAID_AND_OVER = ["opened", "dropped", "paid"]


@pytest.mark.parametrize("sequence", list(itertools.permutations(PAID_AND_OVER)))
async def test_money_for_an_abandoned_one_places_it(desks: Desks, sequence: tuple[str, ...]) -> None:
    desk, opened = await desks("orders"), a_checkout()
    messages = {
        "opened": opened,
        "dropped": dropped(opened, opened.opened_at + MINUTE),
        "paid": money_for(opened),
    }
    events = [message for name in sequence for _, message in (await desk.deliver(messages[name])).emitted]
    (placed,) = [message for message in events if isinstance(message, OrderPlaced)]
    (accepted,) = [message for message in events if isinstance(message, OrderAccepted)]
    assert placed.order_id == accepted.order_id == opened.checkout_id
    order = await the_order(desk)
    assert (order["stage"], order["flags"], order["balance_minor"]) == ("placed", [], order["total_minor"])
    assert order["placed_at"] == opened.opened_at + MINUTE
    late = await desk.deliver(as_sale(opened), user_id=LOGIN)
    assert late.messages_of(OrderAccepted)[0].order_id == opened.checkout_id


async def test_money_for_a_running_one_waits_for_its_end(desks: Desks) -> None:
    desk, opened = await desks("orders"), a_checkout()
    await desk.deliver(opened, user_id=LOGIN)
    assert (await desk.deliver(money_for(opened))).emitted == []
    order = await the_order(desk)
    assert (order["state"], order["flags"]) == ("in_checkout", [])
    assert [type(message) for message in await fire_timers(desk)] == [OrderPlaced, OrderAccepted]
    assert (await the_order(desk))["stage"] == "placed"


@pytest.mark.parametrize("lack", [{"payment": None}, {"customer": {"email": "zoe@"}}, {"totals": None}])
async def test_money_for_half_a_sale_calls_a_person(desks: Desks, lack: dict[str, Any]) -> None:
    desk, opened = await desks("orders"), a_checkout(**lack)
    await desk.deliver(money_for(opened))
    await desk.deliver(opened, user_id=LOGIN)
    ended = await desk.deliver(dropped(opened, opened.opened_at), user_id=LOGIN)
    assert ended.messages_of(CheckoutAbandoned) == []
    order = await the_order(desk)
    assert (order["state"], order["payment_status"], order["balance_minor"]) == ("abandoned", "abandoned", 0)
    assert order["flags"] == ["paid_without_order"]
    await desk.deliver(as_sale(a_checkout(checkout_id=opened.checkout_id)), user_id=LOGIN)
    assert (await the_order(desk))["flags"] == []


async def test_money_for_a_key_that_is_spent_calls_a_person(desks: Desks) -> None:
    desk, opened = await desks("orders"), a_checkout()
    await desk.deliver(a_sale(idempotency_key=opened.idempotency_key), user_id=LOGIN)
    await desk.deliver(opened, user_id=LOGIN)
    await desk.deliver(money_for(opened))
    await fire_timers(desk)
    (order,) = await desk.fetch("SELECT * FROM orders WHERE order_id = $1", opened.checkout_id)
    assert (order["state"], order["flags"]) == ("abandoned", ["paid_without_order"])


@pytest.mark.timeout(240)
@pytest.mark.parametrize("is_submitted", [True, False])
async def test_every_sequence_of_what_may_happen_ends_in_the_same_rows(
    desks: Desks, is_submitted: bool
) -> None:
    """All in one database: each sequence is a checkout of its own, whose rows are compared without their ids."""
    desk = await desks("orders")
    sequences = list(itertools.permutations(["opened", "resumed", "dropped", "timer", "submitted"]))
    random.Random(7).shuffle(sequences)
    found = set()
    for sequence in sequences[:40]:
        opened = a_checkout(idempotency_key="key", opened_at=datetime(2026, 1, 5, 9, tzinfo=UTC))
        await play(desk, opened, [name for name in sequence if is_submitted or name != "submitted"])
        found.add(await rows_of(desk, opened))
        for table in ("orders", "order_line", "checkout", "submission", "activity"):
            await desk.hub.pool.execute(f"DELETE FROM {table}")  # noqa: S608 - names of this test
    assert len(found) == 1


async def play(desk: Desk, opened: CheckoutOpened, sequence: list[str]) -> None:
    """Each of these happens twice."""
    resumed, gone = (
        again(opened, 9 * MINUTE, lines=[a_line(quantity=7)]),
        dropped(opened, opened.opened_at + MINUTE),
    )
    of_first = {"opened_at": opened.opened_at.isoformat(), "opening_id": str(uuid7())}

    async def time_out() -> None:
        async with desk.unit() as unit:
            await run_out(unit, "", {"shop": SHOP, "checkout_id": str(opened.checkout_id), **of_first})

    async def deliver_one(message: Any) -> None:
        assert (await desk.deliver(message, user_id=LOGIN)).result == "handled"

    steps: dict[str, Callable[[], Awaitable[None]]] = {
        "opened": lambda: deliver_one(opened),
        "resumed": lambda: deliver_one(resumed),
        "dropped": lambda: deliver_one(gone),
        "timer": time_out,
        "submitted": lambda: deliver_one(as_sale(opened)),
    }
    for name in [*sequence, *sequence]:
        await steps[name]()


NOT_COMPARED = {
    "order_id",
    "checkout_id",
    "code",
    "snapshot_id",
    "submission_id",
    "body::text",
}
NOT_COMPARED |= {"content_hash", "item", "cause_id", "happened_at"}


async def rows_of(desk: Desk, opened: CheckoutOpened) -> str:
    """The rows, without what is another in every sequence because the messages are."""
    found = []
    for table, query in equal_after_shuffle().items():
        for row in await desk.fetch(query):
            kept = {name: value for name, value in row.items() if f"{name}::text" not in NOT_COMPARED}
            found.append((table, {name: value for name, value in kept.items() if name not in NOT_COMPARED}))
    return repr(found)
