"""Refunds that are sent to PayPal: once, per capture, whatever PayPal or the process does meanwhile."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.refunds import (
    RefundCause,
    RefundConfirmed,
    RefundFailed,
    RefundMode,
    RefundSent,
    RefundUncertain,
)
from contracts.service import CommandRejected
from deploy.demo.standins.paypal.refunds import refund
from deploy.demo.standins.paypal.shapes import money
from deploy.demo.standins.serving import InjectedFault
from services.chassis.testing import wait_until
from services.payments.accounts.ledger import entry_id_of_payment, payment_key
from services.payments.providers.port import ProviderRefused, RefundInstruction
from services.payments.refunds.sending import ATTEMPTS
from tests.builders.orders import SHOP
from tests.payments.builders import of_kind, record, refund_order
from tests.payments.paypal.conftest import SLUG, TIMEOUT_SECONDS, Till

ASK = "POST /v2/payments/captures/{id}/refund"


async def ask(till: Till, order: OrderPlaced, amount_minor: int = 2000, **changes: Any) -> Any:
    command = refund_order(order, amount_minor, mode=RefundMode.SENT, **changes)
    await till.cashdesk.desk.deliver(command)
    return command


async def refunded(till: Till, order: OrderPlaced) -> tuple[int, int]:
    """Entries of refunds, and what went back."""
    entries = [amount for kind, amount in await till.cashdesk.entries(order) if kind == "refund_paid"]
    return len(entries), (await till.cashdesk.account(order))["refunded_minor"]


async def test_a_refund_is_sent_and_its_webhook_confirms_it(till: Till) -> None:
    order, capture = await till.paid()
    command = await ask(till, order)
    emitted = await till.work()
    assert len(of_kind(emitted, RefundSent)) == 1
    (made,) = till.paypal.account.refunds.values()
    assert made["amount"] == money(Decimal(20), "EUR")
    assert made["custom_id"] == f"refund:{command.refund_id}"
    await till.settle()
    assert await refunded(till, order) == (1, 2000)
    assert till.paypal.account.captures[capture["id"]]["status"] == "PARTIALLY_REFUNDED"


async def test_the_webhook_may_come_before_the_answer(till: Till) -> None:
    order, _ = await till.paid()
    await ask(till, order)
    till.paypal.api.faults += [InjectedFault(status=504, after=True)]
    emitted = await till.work()
    assert len(till.paypal.account.refunds) == 1
    emitted += await till.settle()
    await till.hurry()
    emitted += await till.work()
    assert len(of_kind(emitted, RefundSent)) == 1
    assert len(of_kind(emitted, RefundConfirmed)) == 1
    assert await refunded(till, order) == (1, 2000)


@pytest.mark.parametrize(
    "fault", [500, 429, 409, InjectedFault(status=500, after=True), InjectedFault(content=b"<html>")]
)
async def test_an_open_outcome_is_requested_again_under_the_same_id(
    till: Till, fault: int | InjectedFault
) -> None:
    order, _ = await till.paid()
    await ask(till, order)
    till.paypal.api.faults += [fault]
    await till.work()
    for _ in range(2):
        await till.hurry()
        await till.work()
    assert len(till.paypal.account.refunds) == 1
    assert await refunded(till, order) == (1, 2000)


async def test_a_refund_in_progress_is_requested_later(till: Till) -> None:
    """Our first call timed out here while PayPal was still at it: 409, then 200 with the refund that was made."""
    order, _ = await till.paid()
    await ask(till, order)
    till.paypal.api.refund_seconds = TIMEOUT_SECONDS + 5
    await till.work()
    assert till.paypal.account.refunds == {}
    await till.hurry()
    await till.work()
    assert till.paypal.api.requests[ASK] == 2
    await wait_until(lambda: not till.paypal.api._in_progress, 30, "PayPal makes the refund")
    await till.hurry()
    await till.work()
    assert len(till.paypal.account.refunds) == 1
    assert await refunded(till, order) == (1, 2000)


async def test_a_permanent_refusal_changes_nothing_and_has_paypals_words(till: Till) -> None:
    order, capture = await till.paid()
    refund(till.paypal.account, capture["id"], {})
    await ask(till, order)
    emitted = await till.work()
    (failed,) = of_kind(emitted, RefundFailed)
    assert "CAPTURE_FULLY_REFUNDED" in (failed.refund.detail or "")
    assert await refunded(till, order) == (0, 0)


async def test_a_refund_made_at_paypal_is_posted_beside_ours(till: Till) -> None:
    order, capture = await till.paid()
    await ask(till, order)
    refund(till.paypal.account, capture["id"], {"amount": money(Decimal(5), "EUR")})
    await till.work()
    await till.settle()
    assert await refunded(till, order) == (2, 2500)


async def test_a_pending_refund_that_fails_is_owed_again(till: Till) -> None:
    order, _ = await till.paid()
    till.paypal.api.refund_status = "PENDING"
    await ask(till, order)
    await till.work()
    await till.settle()
    (made,) = till.paypal.account.refunds.values()
    made["status"] = "FAILED"
    till.paypal.log.add("PAYMENT.REFUND.FAILED", made)
    emitted = await till.settle()
    assert len(of_kind(emitted, RefundFailed)) == 1
    assert (await till.cashdesk.account(order))["refunded_minor"] == 0


async def test_with_several_captures_the_oldest_that_covers_it_is_refunded(till: Till) -> None:
    order, first = await till.paid()
    till.paypal.account.pay("50.00", "EUR", custom_id=str(order.order_id))
    await till.settle()
    await ask(till, order, 3000, cause=RefundCause.OVERPAID)
    await till.work()
    await ask(till, order, 3000, cause=RefundCause.OVERPAID)
    await till.work()
    captures = [till.paypal.account.captures[one]["amount"]["value"] for one in till.paypal.account.captures]
    assert captures == ["50.00", "50.00"]
    statuses = {one: each["status"] for one, each in till.paypal.account.captures.items()}
    assert set(statuses.values()) == {"PARTIALLY_REFUNDED"}
    first_refund = next(iter(till.paypal.account.refunds.values()))
    assert first["id"] in str(first_refund["links"])


async def two_captures(till: Till) -> tuple[OrderPlaced, list[str]]:
    """An order over 80.00, paid by captures of 50.00 and then 30.00."""
    order, reference = await till.order(8000)
    first = till.paypal.account.pay("50.00", "EUR", order_id=reference)
    await till.settle()
    second = till.paypal.account.pay("30.00", "EUR", custom_id=str(order.order_id))
    await till.settle()
    return order, [first["id"], second["id"]]


async def recorded_refunds(till: Till) -> list[tuple[Any, ...]]:
    """Amount, capture, units and refusal of each refund a person asked for."""
    rows = await till.cashdesk.desk.fetch(
        "SELECT amount_minor, payment_object, lines::text, refusal IS NOT NULL FROM refund ORDER BY part_of NULLS FIRST"
    )
    return [tuple(row.values()) for row in rows]


async def test_a_refund_over_several_captures_is_made_in_parts_the_oldest_capture_first(till: Till) -> None:
    order, captures = await two_captures(till)
    command = await ask(till, order, 7000)
    emitted = await till.work()
    sent = {message.refund.refund_id: message.refund for message in of_kind(emitted, RefundSent)}
    assert sorted(one.amount_minor for one in sent.values()) == [2000, 5000]
    assert sent[command.refund_id].payment_reference == captures[0]
    (further,) = (one for one in sent.values() if one.refund_id != command.refund_id)
    assert (further.part_of, further.payment_reference) == (command.refund_id, captures[1])
    statuses = [till.paypal.account.captures[one]["status"] for one in captures]
    assert statuses == ["REFUNDED", "PARTIALLY_REFUNDED"]
    emitted += await till.settle()
    assert await refunded(till, order) == (2, 7000)
    account = await till.cashdesk.account(order)
    assert (account["credited_minor"], account["balance_minor"]) == (7000, 0)


async def test_the_command_of_a_refund_in_parts_has_one_outcome_and_its_repeat_makes_no_part_again(
    till: Till,
) -> None:
    order, _ = await two_captures(till)
    command = refund_order(order, 7000, mode=RefundMode.SENT)
    requests = await till.cashdesk.desk.deliver(command)
    emitted = await till.work()
    answers = [e.causation_id for e, m in emitted if isinstance(m, RefundSent | RefundFailed)]
    assert sorted(answers, key=str) == sorted([requests.envelope.id, None], key=str)
    again = await till.cashdesk.desk.deliver(command)
    assert (again.messages_of(CommandRejected), len(till.paypal.account.refunds)) == ([], 2)
    await till.work()
    assert len(till.paypal.account.refunds) == 2
    other = await till.cashdesk.desk.deliver(command.model_copy(update={"amount_minor": 5000}))
    assert [reason.code for reason in other.messages_of(CommandRejected)[0].reasons] == ["refund_id_used"]


async def test_a_part_that_paypal_refuses_leaves_the_other_one_made(till: Till) -> None:
    order, captures = await two_captures(till)
    refund(till.paypal.account, captures[0], {"amount": money(Decimal(10), "EUR")})
    command = await ask(till, order, 7000)
    emitted = await till.work()
    (failed,) = of_kind(emitted, RefundFailed)
    assert (failed.refund.refund_id, failed.refund.amount_minor) == (command.refund_id, 5000)
    (sent,) = of_kind(emitted, RefundSent)
    assert (sent.refund.part_of, sent.refund.amount_minor) == (command.refund_id, 2000)
    account = await till.cashdesk.account(order)
    assert (account["refunded_minor"], account["credited_minor"]) == (2000, 2000)
    assert await recorded_refunds(till) == [
        (5000, captures[0], "[]", True),
        (2000, captures[1], "[]", False),
    ]


async def test_more_than_all_captures_have_left_is_refused(till: Till) -> None:
    order, captures = await two_captures(till)
    entry_id = entry_id_of_payment(SHOP, payment_key("paypal", captures[0]))
    named = await till.cashdesk.desk.deliver(
        refund_order(order, 7000, mode=RefundMode.SENT, entry_id=entry_id)
    )
    assert [reason.code for reason in named.messages_of(CommandRejected)[0].reasons] == [
        "refund_exceeds_payment"
    ]
    more = await till.cashdesk.desk.deliver(
        refund_order(order, 8001, mode=RefundMode.SENT, cause=RefundCause.OVERPAID)
    )
    codes = [reason.code for reason in more.messages_of(CommandRejected)[0].reasons]
    assert codes == ["refund_exceeds_received", "provider_cannot_refund"]


async def test_a_refund_that_money_received_by_hand_would_have_to_cover_is_not_sent(till: Till) -> None:
    order, _ = await two_captures(till)
    await till.cashdesk.desk.deliver(record(order, 2000))
    command = refund_order(order, 9000, mode=RefundMode.SENT, cause=RefundCause.OVERPAID)
    rejected = (await till.cashdesk.desk.deliver(command)).messages_of(CommandRejected)[0]
    assert [reason.code for reason in rejected.reasons] == ["provider_cannot_refund"]


async def test_a_refund_paypal_cannot_look_up_any_more_is_uncertain(till: Till) -> None:
    """Its key is gone after 45 days, and PayPal shows no order of the capture in which it would be."""
    order, capture = await till.paid()
    await ask(till, order)
    await till.cashdesk.desk.fetch(
        """UPDATE msg.effect SET attempts = 1, detail = 'away',
               payload = jsonb_set(payload::jsonb, '{asked_at}', '"2026-01-01T00:00:00+00:00"')
           WHERE kind = 'refund' RETURNING key"""
    )
    del till.paypal.account.captures[capture["id"]]["supplementary_data"]
    emitted = await till.work()
    assert len(of_kind(emitted, RefundUncertain)) == 1
    assert till.paypal.account.refunds == {}


async def give_up(till: Till) -> list[Any]:
    """Let the last of the tries come: what was emitted."""
    await till.cashdesk.desk.fetch(
        "UPDATE msg.effect SET attempts = $1, detail = 'away' WHERE kind = 'refund' RETURNING key", ATTEMPTS
    )
    await till.hurry()
    return await till.work()


async def test_a_refund_that_paypal_does_not_show_is_uncertain_in_the_end_and_stays_reserved(
    till: Till,
) -> None:
    """PayPal made it, answers nothing to its repetition, and shows no order of the capture."""
    order, capture = await till.paid()
    await ask(till, order, 5000)
    till.paypal.api.faults += [InjectedFault(status=500, after=True)]
    await till.work()
    del till.paypal.account.captures[capture["id"]]["supplementary_data"]
    emitted = await give_up(till)
    assert (len(of_kind(emitted, RefundUncertain)), of_kind(emitted, RefundFailed)) == (1, [])
    again = await till.cashdesk.desk.deliver(refund_order(order, 5000, mode=RefundMode.SENT))
    (rejected,) = again.messages_of(CommandRejected)
    assert rejected.reasons[0].code == "refund_exceeds_received"
    assert len(till.paypal.account.refunds) == 1


async def test_a_refund_that_paypal_shows_not_to_have_fails_in_the_end_and_is_free_again(till: Till) -> None:
    order, _ = await till.paid()
    await ask(till, order, 5000)
    emitted = await give_up(till)
    assert len(of_kind(emitted, RefundFailed)) == 1
    assert till.paypal.api.requests[ASK] == 0
    await ask(till, order, 5000)
    assert len(of_kind(await till.work(), RefundSent)) == 1


async def test_a_missing_token_endpoint_is_no_missing_capture(till: Till) -> None:
    """A gateway answers 404 to everything for a while."""
    order, _ = await till.paid()
    await ask(till, order)
    till.paypal.api.expire_tokens()
    till.paypal.api.token_faults += [404]
    assert of_kind(await till.work(), RefundFailed) == []
    await till.hurry()
    assert len(of_kind(await till.work(), RefundSent)) == 1
    assert len(till.paypal.account.refunds) == 1


async def test_a_payments_id_is_one_part_of_the_path(till: Till) -> None:
    """A reference that was entered by hand reaches no other of PayPal's calls."""
    client = till.cashdesk.providers["paypal"]._client(SLUG)  # type: ignore[attr-defined]
    paths: list[bytes] = []

    async def note(request: Any) -> None:
        paths.append(request.url.raw_path)

    client._http.event_hooks = {"request": [note], "response": []}
    for payment in ("../../../v1/x?y=", "A/refund#"):
        wish = RefundInstruction(uuid4(), SHOP, uuid4(), payment, 100, "EUR", is_duplicate=False)
        with pytest.raises(ProviderRefused, match="does not know capture"):
            await till.cashdesk.providers["paypal"].refund(wish)
    assert [path for path in paths if b"oauth2" not in path] == [
        b"/v2/payments/captures/..%2F..%2F..%2Fv1%2Fx%3Fy%3D/refund",
        b"/v2/payments/captures/A%2Frefund%23/refund",
    ]


async def test_a_refund_is_found_in_its_order_when_its_key_is_gone(till: Till) -> None:
    order, _ = await till.paid()
    await ask(till, order)
    till.paypal.api.faults += [InjectedFault(status=500, after=True)]
    await till.work()
    till.paypal.api._answered.clear()
    await till.hurry()
    await till.work()
    assert len(till.paypal.account.refunds) == 1
    assert await refunded(till, order) == (1, 2000)
    assert till.paypal.api.requests[ASK] == 1
