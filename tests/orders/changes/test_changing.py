"""Placed orders are edited, cancelled and reinstated: fulfillment is asked first, then rows, total and due follow."""

import json
from typing import Any

import pytest

from contracts.orders.changes import ChangeCause, LinesAdditionRequested, LinesReductionRequested, OrderEdited
from contracts.orders.lifecycle import OrderStateChanged
from services.orders.changes.changing import ChangeInProgress, ChangeRefused, OrderIsCancelled
from services.orders.changes.editing import NothingToChange
from services.orders.changes.reinstating import NotCancelled
from services.orders.order.history import Stale
from tests.conftest import Desks
from tests.orders.changing_orders import Merchant, a_merchant, listed

INK: dict[str, Any] = {
    "kind": "ship",
    "description": "Encre",
    "sku": "ENCRE-01",
    "quantity": 2,
    "unit_price_minor": 900,
}


async def merchant_of(desks: Desks) -> Merchant:
    """A merchant with a placed order of 84.00 EUR."""
    return await a_merchant(await desks("orders"))


async def test_a_lower_quantity_is_requested_first_and_takes_effect_with_the_answer(desks: Desks) -> None:
    merchant = await merchant_of(desks)
    command_id = await merchant.edit(lines=[{"line": 1, "quantity": 1}], reason="Deux de trop")
    (question,) = merchant.messages_of(LinesReductionRequested)
    assert (question.request_id, question.lines, question.cause) == (
        command_id,
        listed({1: 2}),
        ChangeCause.EDITED,
    )
    assert (await merchant.command(command_id))["state"] == "pending"
    assert (await merchant.lines())[1] == (3, 4500, 0)
    (edited,) = (await merchant.desk.deliver(await merchant.stopped())).messages_of(OrderEdited)
    assert (edited.due_change_minor, edited.totals.total_minor, edited.reason) == (
        -3000,
        5400,
        "Deux de trop",
    )
    assert (await merchant.lines())[1] == (1, 1500, 2)
    assert await merchant.desk.fetchval("select total_minor from orders") == 5400
    command = await merchant.command(command_id)
    assert (command["state"], json.loads(command["outcome"])["due_change_minor"]) == ("done", -3000)


async def test_what_had_left_stays_ordered_and_the_outcome_reports_it(desks: Desks) -> None:
    merchant = await merchant_of(desks)
    command_id = await merchant.edit(lines=[{"line": 1, "quantity": 0}])
    merchant.ship(1, 2)
    (edited,) = (await merchant.desk.deliver(await merchant.stopped())).messages_of(OrderEdited)
    assert (edited.due_change_minor, [line.quantity for line in edited.lines]) == (-1500, [2, 1])
    assert (await merchant.lines())[1] == (2, 3000, 1)
    outcome = json.loads((await merchant.command(command_id))["outcome"])
    assert outcome["not_stopped"] == [{"line": 1, "quantity": 2}]


@pytest.mark.parametrize("left", [0, 2])
async def test_a_cancellation_names_its_articles_when_others_had_left(desks: Desks, left: int) -> None:
    merchant = await merchant_of(desks)
    await merchant.cancel()
    if left:
        merchant.ship(1, left)
    (edited,) = (await merchant.desk.deliver(await merchant.stopped())).messages_of(OrderEdited)
    named = edited.cancelled_lines and [(one.line, one.quantity) for one in edited.cancelled_lines]
    assert named == ([(1, 1), (2, 1)] if left else None)


async def test_lines_and_units_are_added_as_far_as_there_is_stock(desks: Desks) -> None:
    merchant = await merchant_of(desks)
    command_id = await merchant.edit(lines=[{"line": 1, "quantity": 5}, INK])
    (question,) = merchant.messages_of(LinesAdditionRequested)
    assert [(one.line, one.sku, one.quantity) for one in question.lines] == [
        (1, "BOUGIE-01", 2),
        (3, "ENCRE-01", 2),
    ]
    (edited,) = (await merchant.desk.deliver(await merchant.added({1: 1}))).messages_of(OrderEdited)
    assert (edited.due_change_minor, [line.line for line in edited.lines]) == (1800, [1, 2, 3])
    assert await merchant.lines() == {1: (3, 4500, 0), 2: (1, 3400, 0), 3: (2, 1800, 0)}
    outcome = json.loads((await merchant.command(command_id))["outcome"])
    assert (outcome["missing"], outcome["added"]) == (
        [{"line": 1, "quantity": 2}],
        [{"line": 3, "quantity": 2}],
    )


async def test_a_line_is_swapped_for_another_in_two_steps(desks: Desks) -> None:
    merchant = await merchant_of(desks)
    await merchant.edit(lines=[{"line": 1, "quantity": 0}, INK], shipping=None)
    after = await merchant.desk.deliver(await merchant.stopped())
    assert (after.messages_of(OrderEdited), len(after.messages_of(LinesAdditionRequested))) == ([], 1)
    (edited,) = (await merchant.desk.deliver(await merchant.added())).messages_of(OrderEdited)
    assert edited.due_change_minor == -4500 + 1800 - 500
    assert await merchant.lines() == {1: (0, 0, 3), 2: (1, 3400, 0), 3: (2, 1800, 0)}


async def test_names_and_addresses_change_at_once_and_need_no_other_service(desks: Desks) -> None:
    merchant = await merchant_of(desks)
    address = {
        "name": "Ada Martin",
        "street": "2 quai Vert",
        "postal_code": "29200",
        "city": "Brest",
        "country": "FR",
    }
    command_id = await merchant.edit(
        shipping_address=address, customer={"email": "ada@example.org", "phone": "+33 2"}
    )
    (edited,) = merchant.messages_of(OrderEdited)
    assert (edited.due_change_minor, edited.customer.email, edited.customer.company) == (
        0,
        "ada@example.org",
        "Martin SARL",
    )
    assert edited.shipping_address.city == "Brest"
    assert (await merchant.command(command_id))["state"] == "done"
    row = (await merchant.desk.fetch("select customer_email, customer_phone, total_minor from orders"))[0]
    assert tuple(row) == ("ada@example.org", "+33 2", 8400)
    assert (
        await merchant.desk.fetchval("select count(*) from amendment where content::text like '%192.0.2%'")
        == 0
    )


async def test_an_edit_is_refused_with_every_reason(desks: Desks) -> None:
    merchant = await merchant_of(desks)
    wrong = [{"line": 9, "quantity": 1}, {"line": 1, "sku": "AUTRE"}, {"quantity": 2}]
    with pytest.raises(ChangeRefused) as refused:
        await merchant.edit(lines=wrong)
    codes = [reason.code for reason in refused.value.reasons]
    assert codes == ["line_unknown", "article_fixed", "line_incomplete", "line_incomplete", "line_incomplete"]
    with pytest.raises(ChangeRefused) as refused:
        await merchant.edit(lines=[{"line": 1, "discount_minor": 9999}], customer={"email": "nobody"})
    codes = [reason.code for reason in refused.value.reasons]
    assert codes == ["email_invalid", "discount_above_price", "total_negative"]
    with pytest.raises(NothingToChange):
        await merchant.edit(lines=[{"line": 1, "quantity": 3}])
    assert await merchant.desk.fetchval("select count(*) from command") == 0


async def test_one_change_at_a_time_and_none_from_a_stale_form(desks: Desks) -> None:
    merchant = await merchant_of(desks)
    await merchant.edit(lines=[{"line": 1, "quantity": 1}])
    with pytest.raises(ChangeInProgress):
        await merchant.cancel()
    await merchant.desk.deliver(await merchant.stopped())
    with pytest.raises(Stale):
        await merchant.edit(revision=1, lines=[{"line": 1, "quantity": 2}])


async def test_a_cancellation_credits_all_of_it_with_shipping_and_is_taken_back(desks: Desks) -> None:
    merchant = await merchant_of(desks)
    cancelled_id = await merchant.cancel("Le client renonce")
    outcome = await merchant.desk.deliver(await merchant.stopped())
    (edited,) = outcome.messages_of(OrderEdited)
    assert (edited.cause, edited.due_change_minor, edited.totals.total_minor) == (
        ChangeCause.CANCELLED,
        -8400,
        8400,
    )
    assert [change.state for change in outcome.messages_of(OrderStateChanged)] == ["cancelled"]
    for again in (merchant.cancel, merchant.edit):
        with pytest.raises(OrderIsCancelled):
            await again()
    await merchant.reinstate()
    (question,) = merchant.messages_of(LinesAdditionRequested)
    assert (question.all_or_nothing, len(question.lines)) == (True, 2)
    (edited,) = (await merchant.desk.deliver(await merchant.added())).messages_of(OrderEdited)
    assert (edited.due_change_minor, edited.previous_edit_id) == (8400, cancelled_id)
    with pytest.raises(NotCancelled):
        await merchant.reinstate()


async def test_a_reinstatement_without_stock_leaves_the_order_cancelled(desks: Desks) -> None:
    merchant = await merchant_of(desks)
    await merchant.cancel()
    await merchant.desk.deliver(await merchant.stopped())
    command_id = await merchant.reinstate()
    outcome = await merchant.desk.deliver(await merchant.added({1: 2}))
    assert outcome.messages_of(OrderEdited) == []
    command = await merchant.command(command_id)
    (reason,) = json.loads(command["outcome"])["reasons"]
    assert (command["state"], reason["code"]) == ("rejected", "stock_missing")
    assert await merchant.desk.fetchval("select state from orders") == "cancelled"


async def test_only_the_rest_of_a_half_shipped_order_is_cancelled(desks: Desks) -> None:
    merchant = await merchant_of(desks)
    await merchant.cancel()
    merchant.ship(1, 1)
    (edited,) = (await merchant.desk.deliver(await merchant.stopped())).messages_of(OrderEdited)
    assert edited.due_change_minor == -(3000 + 3400)
    assert await merchant.desk.fetchval("select state from orders") == "processing"


async def test_what_has_left_altogether_is_not_cancelled(desks: Desks) -> None:
    merchant = await merchant_of(desks)
    await merchant.edit(lines=[{"line": 2, "quantity": 0}])
    await merchant.desk.deliver(await merchant.stopped())
    command_id = await merchant.cancel()
    merchant.ship(1, 3)
    outcome = await merchant.desk.deliver(await merchant.stopped())
    assert outcome.messages_of(OrderEdited) == []
    command = await merchant.command(command_id)
    assert (command["state"], json.loads(command["outcome"])["reasons"][0]["code"]) == (
        "rejected",
        "already_shipped",
    )
    await merchant.edit(customer={"phone": "1"})


async def test_answers_in_any_order_and_repetition_end_in_the_same_rows(desks: Desks) -> None:
    ends = []
    for turn in range(3):
        merchant = await merchant_of(desks)
        await merchant.edit(lines=[{"line": 1, "quantity": 1}, INK])
        stopped = await merchant.stopped()
        if turn == 0:
            await merchant.desk.deliver(stopped)
            answers = [stopped, await merchant.added()]
            await merchant.desk.deliver(answers[1])
        else:
            request = LinesAdditionRequested.model_validate(
                {
                    **(await merchant.last_request()).model_dump(exclude={"lines"}),
                    "lines": [{"line": 3, "kind": "ship", "sku": "ENCRE-01", "quantity": 2}],
                    "all_or_nothing": False,
                }
            )
            added = await added_to(merchant, request)
            early = [added, added] if turn == 1 else [added]
            for message in [*early, stopped, added, stopped, added]:
                await merchant.desk.deliver(message)
                await merchant.desk.retry()
        ends.append(
            (
                await merchant.lines(),
                await merchant.desk.fetchval("select line_positions from orders"),
                [
                    tuple(row)
                    for row in await merchant.desk.fetch(
                        "select state, number, due_change_minor from order_edit"
                    )
                ],
                await merchant.desk.fetchval(
                    "select count(*) from msg.event_log where type = 'orders.order.edited.v1'"
                ),
            )
        )
    assert ends[0][3] == 1
    assert ends[0] == ends[1] == ends[2]


async def added_to(merchant: Merchant, request: LinesAdditionRequested) -> Any:
    """Fulfillment's answer to a question that orders has not asked yet."""
    merchant.last_request = lambda: _ready(request)  # type: ignore[method-assign]
    return await merchant.added()


async def _ready(request: LinesAdditionRequested) -> LinesAdditionRequested:
    return request
