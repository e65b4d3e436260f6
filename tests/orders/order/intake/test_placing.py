"""A submission is answered once, and a repeat hears the first answer again."""

import asyncio
from typing import TypeVar
from uuid import UUID

from contracts.envelope import MAX_BODY_BYTES, Envelope, uuid7
from contracts.message import Message
from contracts.orders.lifecycle import OrderPlaced, OrderRejected
from contracts.storefront import OrderAccepted, OrderRefused, OrderSubmitted
from services.chassis.messaging.inbound.raw_message import RawMessage
from services.chassis.testing import Desk, Outcome, envelope_for
from services.orders.order.short_code import code_of
from tests.builders.submissions import SHOP, a_line, a_sale, paid_by
from tests.conftest import Desks
from tests.orders.builders import Life

LOGIN = "storefront.maison.shop"
T = TypeVar("T", bound=Message)


def only(outcome: Outcome, kind: type[T]) -> T:
    """The one message of this class that was said."""
    (message,) = outcome.messages_of(kind)
    assert isinstance(message, kind)
    return message


def routing_keys(desk: Desk) -> list[str]:
    """Where the last units' messages go."""
    return [outgoing.routing_key for unit in desk._units for outgoing in unit.outgoing]


async def counts(desk: Desk) -> tuple[int, int, int]:
    """How many submissions, orders and refusals there are."""
    row = await desk.fetch(
        """SELECT (SELECT count(*) FROM submission), (SELECT count(*) FROM orders),
                  (SELECT count(*) FROM refusal)"""
    )
    return tuple(row[0])


async def test_a_sale_becomes_an_order(desks: Desks) -> None:
    desk, sale = await desks("orders"), a_sale(a_line(options={"size": "L"}), a_line(kind="ticket", sku=None))
    outcome = await desk.deliver(sale, user_id=LOGIN)
    placed, accepted = only(outcome, OrderPlaced), only(outcome, OrderAccepted)
    (order,) = await desk.fetch("SELECT * FROM orders")
    assert placed.order_id == accepted.order_id == order["order_id"] == outcome.envelope.id
    assert placed.code == accepted.code == order["code"]
    assert (order["state"], order["label"]) == ("awaiting_payment", "awaiting_payment")
    assert (order["payment_status"], order["fulfilment_status"]) == ("unpaid", "unfulfilled")
    assert (order["due_minor"], order["balance_minor"]) == (5300, 5300)
    assert (order["ship_needed"], order["other_needed"], order["units_to_pack"]) == (2, 2, 2)
    lines = await desk.fetch("SELECT * FROM order_line ORDER BY line")
    assert [(line["kind"], line["sku"], line["options"]) for line in lines] == [
        ("ship", "MUG-BLEU", '{"size": "L"}'),
        ("ticket", None, None),
    ]


async def test_ip_address_and_browser_stay_here(desks: Desks) -> None:
    desk = await desks("orders")
    await desk.deliver(a_sale())
    stored = await desk.fetch("SELECT convert_from(body, 'UTF8') AS body FROM msg.event_log")
    assert not [row for row in stored if "192.0.2.7" in row["body"]]
    assert await desk.fetchval("SELECT body #>> '{customer,ip_address}' FROM submission") == "192.0.2.7"


async def test_the_answer_goes_to_the_storefront_alone(desks: Desks) -> None:
    desk = await desks("orders")
    await desk.deliver(a_sale(), user_id=LOGIN)
    assert routing_keys(desk) == [
        "orders.order.placed.v1",
        "maison.shop.orders.order.accepted.v1",
    ]


async def test_free_and_cash_orders_are_ready_at_once(desks: Desks) -> None:
    desk = await desks("orders")
    await desk.deliver(a_sale(a_line(unit_price_minor=0), shipping=None, payment={"method": "free"}))
    await desk.deliver(a_sale(payment=paid_by("cash")))
    rows = await desk.fetch("SELECT state, label, payment_status FROM orders ORDER BY total_minor")
    assert [tuple(row) for row in rows] == [
        ("ready", "in_progress_order", "paid"),
        ("ready", "in_progress_order", "unpaid"),
    ]


async def test_a_repeat_gets_the_first_answer_again(desks: Desks) -> None:
    desk, sale = await desks("orders"), a_sale()
    first = only(await desk.deliver(sale), OrderAccepted)
    again = await desk.deliver(sale)
    assert only(again, OrderAccepted) == first
    assert again.messages_of(OrderPlaced) == []
    assert await counts(desk) == (1, 1, 0)


async def test_the_very_same_event_is_a_duplicate(desks: Desks) -> None:
    desk, sale, event_id = await desks("orders"), a_sale(), uuid7()
    await desk.deliver(sale, id=event_id)
    assert (await desk.deliver(sale, id=event_id)).result == "duplicate"


async def test_a_repeat_with_other_content_is_refused(desks: Desks) -> None:
    desk, sale = await desks("orders"), a_sale()
    await desk.deliver(sale)
    outcome = await desk.deliver(sale.model_copy(update={"note": "Merci"}))
    refused = only(outcome, OrderRefused)
    assert [reason.code for reason in refused.reasons] == ["idempotency_conflict"]
    assert only(outcome, OrderRejected).submission_id == outcome.envelope.id
    assert only(await desk.deliver(sale), OrderAccepted).idempotency_key == sale.idempotency_key
    assert await counts(desk) == (1, 1, 1)


async def test_a_refused_sale_is_kept_and_a_repeat_refused_for_the_same_reasons(desks: Desks) -> None:
    desk, sale = await desks("orders"), a_sale(payment=None, shipping_address=None)
    first, again = await desk.deliver(sale), await desk.deliver(sale)
    assert only(again, OrderRefused).reasons == only(first, OrderRefused).reasons
    assert [only(one, OrderRefused).submission_id for one in (first, again)] == [
        first.envelope.id,
        again.envelope.id,
    ]
    assert await counts(desk) == (0, 0, 1)
    assert await desk.fetchval("SELECT jsonb_array_length(reasons) FROM refusal") == 2


async def test_a_refused_sale_leaves_its_key_free(desks: Desks) -> None:
    desk, wrong = await desks("orders"), a_sale(payment=None)
    corrected = wrong.model_copy(update={"payment": a_sale().payment})
    await desk.deliver(wrong)
    accepted = only(await desk.deliver(corrected), OrderAccepted)
    assert accepted.idempotency_key == wrong.idempotency_key
    refused = only(await desk.deliver(wrong), OrderRefused)
    assert [reason.code for reason in refused.reasons] == ["idempotency_conflict"]
    assert accepted.code in refused.reasons[0].message


async def test_one_batch_with_repeats_conflicts_and_refusals(desks: Desks) -> None:
    desk, good, bad = await desks("orders"), a_sale(), a_sale(payment=None)
    changed = good.model_copy(update={"note": "Merci"})
    corrected = bad.model_copy(update={"payment": good.payment})
    batch = [good, bad, good, changed, bad, corrected, a_sale()]
    outcomes = await desk.deliver_all([(envelope_for("orders", sale), sale, LOGIN) for sale in batch])
    events = [[type(message).__name__ for _, message in outcome.emitted] for outcome in outcomes]
    assert events == [
        ["OrderPlaced", "OrderAccepted"],
        ["OrderRejected", "OrderRefused"],
        ["OrderAccepted"],
        ["OrderRejected", "OrderRefused"],
        ["OrderRejected", "OrderRefused"],
        ["OrderPlaced", "OrderAccepted"],
        ["OrderPlaced", "OrderAccepted"],
    ]
    assert await counts(desk) == (3, 3, 2)
    stored = await desk.fetch(
        "SELECT submission_id FROM submission JOIN orders USING (idempotency_key, shop)"
    )
    assert {row["submission_id"] for row in stored} == {outcomes[n].envelope.id for n in (0, 5, 6)}


async def test_two_processes_place_one_order(desks: Desks) -> None:
    desk = await desks("orders")
    url = desk.hub.settings.database_url.get_secret_value()
    other, sale = await desks("orders", url), a_sale()
    for _ in range(10):
        sale = a_sale()
        answers = await asyncio.gather(desk.deliver(sale), other.deliver(sale))
        assert len({only(answer, OrderAccepted).order_id for answer in answers}) == 1
    assert await counts(desk) == (10, 10, 0)


async def test_an_unauthorised_sender_is_answered_and_claims_nothing(desks: Desks) -> None:
    desk, sale = await desks("orders"), a_sale()
    outcome = await desk.deliver(sale, user_id="storefront.autre.events")
    refused = only(outcome, OrderRefused)
    assert [reason.code for reason in refused.reasons] == ["not_your_shop"]
    assert routing_keys(desk) == ["autre.events.orders.order.refused.v1"]
    assert (refused.shop, await desk.fetchval("SELECT shop FROM refusal")) == ("autre", "autre")
    own = await desk.deliver(sale, user_id=LOGIN)
    assert only(own, OrderAccepted).order_id == own.envelope.id


async def test_text_that_cannot_be_stored_is_refused(desks: Desks) -> None:
    desk = await desks("orders")
    for sale in (a_sale(idempotency_key="k\0"), a_sale(source_reference="\0")):
        refused = only(await desk.deliver(sale, user_id=LOGIN), OrderRefused)
        assert [reason.code for reason in refused.reasons] == ["schema_invalid"]
    assert await counts(desk) == (0, 0, 2), "two refusals that the shop can see"


async def test_a_sale_that_would_make_too_large_an_order_is_refused(desks: Desks) -> None:
    desk = await desks("orders")
    options = {f"option {number}": "x" * 1000 for number in range(10)}
    sale = a_sale(*[a_line(options=options) for _ in range(100)])
    refused = only(await desk.deliver(sale), OrderRefused)
    assert [reason.code for reason in refused.reasons] == ["sale_too_large"]
    smaller = a_sale(*[a_line(options=options) for _ in range(95)])
    placed = only(await desk.deliver(smaller), OrderPlaced)
    assert len(placed.model_dump_json()) < MAX_BODY_BYTES


async def test_a_submission_that_cannot_be_read_is_answered_and_parked(desks: Desks) -> None:
    desk, sale = await desks("orders"), a_sale()
    body = sale.model_dump_json(exclude={"customer"}).encode()
    headers = envelope_for("orders", sale).headers()
    (handled,) = await desk.hub.committer.commit([RawMessage("orders.storefront", headers, body, LOGIN)])
    assert handled.end == "parked"
    events = {type(message): message for _, message in desk.emitted()}
    refused = events[OrderRefused]
    assert isinstance(refused, OrderRefused)
    assert [(reason.code, reason.field) for reason in refused.reasons] == [("schema_invalid", "customer")]
    assert "maison.shop.orders.order.refused.v1" in routing_keys(desk)


async def test_a_code_that_is_taken_gives_way_to_the_next(desks: Desks) -> None:
    desk, event_id = await desks("orders"), uuid7()
    await desk.deliver(a_sale())
    await desk.hub.pool.execute("UPDATE orders SET code = $1", code_of(event_id))
    placed = only(await desk.deliver(a_sale(), id=event_id), OrderPlaced)
    assert placed.code == code_of(event_id, 1)
    assert only(await desk.deliver(a_sale(shop="autre"), id=event_id), OrderPlaced).code == code_of(event_id)


async def test_an_event_id_names_one_order_of_a_shop(desks: Desks) -> None:
    desk, event_id = await desks("orders"), uuid7()
    await desk.deliver(a_sale(), id=event_id)
    refused = only(await desk.deliver(a_sale(module="events"), id=event_id), OrderRefused)
    assert [reason.code for reason in refused.reasons] == ["submission_id_taken"]
    assert await counts(desk) == (1, 1, 1)


async def test_a_submission_remembered_longer_than_its_inbox_row_is_answered_again(desks: Desks) -> None:
    desk, sale, event_id = await desks("orders"), a_sale(), uuid7()
    first = only(await desk.deliver(sale, id=event_id), OrderAccepted)
    await desk.hub.pool.execute("DELETE FROM msg.inbox")
    again = await desk.deliver(sale, id=event_id)
    assert (only(again, OrderAccepted), again.messages_of(OrderPlaced)) == (first, [])


async def test_the_key_of_a_deleted_order_places_nothing(desks: Desks) -> None:
    desk, sale = await desks("orders"), a_sale()
    first = await desk.deliver(sale)
    await desk.hub.pool.execute("DELETE FROM orders")
    await desk.hub.pool.execute("DELETE FROM msg.inbox")
    for event_id in (first.envelope.id, uuid7()):
        refused = only(await desk.deliver(sale, id=event_id), OrderRefused)
        assert [reason.code for reason in refused.reasons] == ["order_deleted"]


async def test_facts_that_came_first_are_woken(desks: Desks) -> None:
    desk, sale = await desks("orders"), a_sale()
    envelope: Envelope = envelope_for("orders", sale)
    life = Life(envelope.id, "K7F3-QD9M", 4100, [2, 1])
    waiting = await desk.deliver(life.balance(2, received=4100))
    assert (waiting.result, waiting.detail.split(":")[0]) == ("waiting", "order_unknown")
    assert await _wait_key(desk) == f"order:{envelope.id}"
    await desk.deliver(sale, envelope=envelope)
    await desk.retry()
    assert await desk.fetchval("SELECT state FROM orders") == "ready"


async def _wait_key(desk: Desk) -> str:
    key: str = await desk.fetchval("SELECT wait_key FROM msg.parked WHERE state = 'waiting'")
    return key


async def test_many_lines_many_orders_one_batch(desks: Desks) -> None:
    desk = await desks("orders")
    sales: list[OrderSubmitted] = [
        a_sale(*[a_line(sku=f"S-{number}") for number in range(20)]) for _ in range(50)
    ]
    outcomes = await desk.deliver_all([(envelope_for("orders", sale), sale, LOGIN) for sale in sales])
    placed: set[UUID] = {only(outcome, OrderPlaced).order_id for outcome in outcomes}
    assert len(placed) == 50
    assert await desk.fetchval("SELECT count(*) FROM order_line WHERE shop = $1", SHOP) == 1000
