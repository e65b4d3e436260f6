"""An uncertain refund is told, keeps its sum reserved, and ends by a person's word or the provider's."""

import json
from typing import Any

import pytest

from contracts.payments.refunds import (
    RefundCause,
    RefundConfirmed,
    RefundFailed,
    RefundMode,
    RefundSent,
    RefundUncertain,
    RefundVerdict,
    SettleRefund,
)
from contracts.service import CommandDone, CommandRejected
from services.chassis.background.effects import Effect
from services.chassis.testing import Outcome
from services.payments.refunds.refunding import EFFECT
from services.payments.refunds.sending import RefundSender
from tests.payments.builders import event, of_kind, refund, refund_order
from tests.payments.refunds.test_refunding import position, reasons
from tests.payments.refunds.test_sending_refunds import KEY, Till, effect, provider, send, till

__all__ = ["provider", "till"]


async def doubt(till: Till, *, made: bool) -> Any:
    """A refund of 20.00 that Stripe made, or not, and of which nobody can ask it: what was said."""
    await till.ask()
    if made:
        await _make(till)
    await till.cashdesk.desk.fetch("UPDATE msg.effect SET detail = 'away', attempts = 1 RETURNING key")
    till.api._key = "sk_test_of-another-time"
    return await send(till.cashdesk)


async def _make(till: Till) -> None:
    """Stripe makes the refund; nobody records it."""
    (row,) = await till.cashdesk.desk.fetch("SELECT payload FROM msg.effect")
    wish, sender = json.loads(row["payload"]), RefundSender(till.cashdesk.hub)
    await sender.perform(Effect(wish["refund_id"], EFFECT, wish, 1))


async def settle(
    till: Till, verdict: RefundVerdict, reason: str | None = None, reference: str | None = None
) -> Outcome:
    """A person's word on the one refund."""
    refund_id = await till.cashdesk.desk.fetchval("SELECT refund_id FROM refund")
    order = till.order
    command = SettleRefund(
        shop=order.shop,
        order_id=order.order_id,
        refund_id=refund_id,
        verdict=verdict,
        reason=reason,
        provider_reference=reference,
        actor="staff:zoe",
    )
    return await till.cashdesk.desk.deliver(command)


def refused(outcome: Outcome) -> list[str]:
    """The codes of a refusal."""
    return [reason.code for message in outcome.messages_of(CommandRejected) for reason in message.reasons]


async def test_it_is_reported_and_its_sum_stays_reserved(till: Till) -> None:
    emitted = await doubt(till, made=True)
    (event,) = of_kind(emitted, RefundUncertain)
    assert "Stripe does not report" in (event.refund.detail or "")
    assert (await effect(till.cashdesk), of_kind(emitted, RefundSent), of_kind(emitted, RefundFailed)) == (
        "uncertain",
        [],
        [],
    )
    assert await position(till.cashdesk, till.order) == (0, 0, 0, 0, ["refund_uncertain"])
    assert "refund_exceeds_received" in reasons(await till.ask(4000))


@pytest.mark.parametrize("made", [True, False], ids=["it was made", "it was not made"])
async def test_requested_again_it_is_made_once(till: Till, made: bool) -> None:
    await doubt(till, made=made)
    till.api._key, till.api._answers = KEY, {}
    assert (await settle(till, RefundVerdict.ASK_AGAIN)).messages_of(CommandDone)
    assert refused(await settle(till, RefundVerdict.ASK_AGAIN)) == ["refund_being_asked"]
    emitted = await send(till.cashdesk)
    assert len(of_kind(emitted, RefundSent)) == 1
    assert (len(till.api.refunds), await effect(till.cashdesk)) == (1, "done")
    assert await position(till.cashdesk, till.order) == (2000, 2000, 0, 0, [])
    assert refused(await settle(till, RefundVerdict.NOT_MADE)) == ["refund_not_uncertain"]


async def test_a_refund_that_was_not_made_gives_its_sum_back(till: Till) -> None:
    await doubt(till, made=False)
    outcome = await settle(till, RefundVerdict.NOT_MADE, "absent du tableau de bord")
    (failed,) = outcome.messages_of(RefundFailed)
    assert failed.refund.detail == "not_made by staff:zoe: absent du tableau de bord"
    assert outcome.messages_of(CommandDone)
    assert await effect(till.cashdesk) == "discarded"
    assert await position(till.cashdesk, till.order) == (0, 0, 0, 0, [])
    assert (await till.ask(5000)).messages_of(CommandRejected) == []


async def settled_as_made(till: Till, reference: str) -> Outcome:
    """The refund was made and a person names the provider's: what was said."""
    await doubt(till, made=True)
    return await settle(till, RefundVerdict.MADE, reference=reference)


def made_by(till: Till) -> str:
    """The id of the one refund that the provider made."""
    return str(next(iter(till.api.refunds.values()))["id"])


async def test_a_refund_that_was_made_is_posted_under_its_reference_and_the_provider_adds_nothing(
    till: Till,
) -> None:
    await doubt(till, made=True)
    outcome = await settle(till, RefundVerdict.MADE, reference=made_by(till))
    assert outcome.messages_of(CommandDone)
    assert len(outcome.messages_of(RefundSent)) == 1
    (confirmed,) = outcome.messages_of(RefundConfirmed)
    assert (confirmed.refund.provider_reference, confirmed.refund.confirmed_minor) == (made_by(till), 2000)
    assert await effect(till.cashdesk) == "done"
    assert await position(till.cashdesk, till.order) == (2000, 2000, 0, 0, [])
    assert "refund_exceeds_received" in reasons(await till.ask(4000))
    entries = await till.cashdesk.entries(till.order)
    assert entries.count(("refund_paid", 2000)) == 1
    emitted = await till.cashdesk.pay(*(json.loads(body) for body in till.webhooks))
    assert of_kind(emitted, RefundSent) == []
    assert await till.cashdesk.entries(till.order) == entries
    assert await position(till.cashdesk, till.order) == (2000, 2000, 0, 0, [])


async def test_a_named_refund_that_the_provider_has_under_another_id_counts_once(till: Till) -> None:
    assert (await settled_as_made(till, "re_mistyped")).messages_of(CommandDone)
    assert await position(till.cashdesk, till.order) == (2000, 2000, 0, 0, [])
    await till.cashdesk.pay(*(json.loads(body) for body in till.webhooks))
    assert await position(till.cashdesk, till.order) == (2000, 2000, 0, 0, [])
    refunds = [kind for kind, _ in await till.cashdesk.entries(till.order) if kind.startswith("refund_")]
    assert sorted(refunds) == ["refund_failed", "refund_paid", "refund_paid"]


@pytest.mark.parametrize(("amount", "refunded"), [(2000, 2000), (2500, 2500)])
async def test_a_named_refund_that_names_none_of_ours_is_the_one(
    till: Till, amount: int, refunded: int
) -> None:
    await settled_as_made(till, "re_of_the_dashboard")
    for state in ("pending", "succeeded"):
        resource = refund("re_of_the_dashboard", till.intent, amount, status=state)
        await till.cashdesk.pay(event("refund.updated", resource))
    assert (await position(till.cashdesk, till.order))[1] == refunded
    rows = await till.cashdesk.desk.fetch("SELECT count(*) FROM refund")
    assert rows[0][0] == 1


async def test_a_named_refund_that_fails_at_the_provider_is_reversed(till: Till) -> None:
    await doubt(till, made=True)
    await settle(till, RefundVerdict.MADE, reference=made_by(till))
    values = [json.loads(body) for body in till.webhooks]
    for one in values:
        one["data"]["object"]["status"] = "failed"
    await till.cashdesk.pay(*values)
    assert (await till.cashdesk.entries(till.order))[-1] == ("refund_failed", 2000)


@pytest.mark.parametrize(
    ("verdict", "reference", "code"),
    [
        (RefundVerdict.MADE, None, "refund_reference_missing"),
        (RefundVerdict.MADE, "the payment", "refund_reference_used"),
        (RefundVerdict.NOT_MADE, "re_1", "reference_not_needed"),
        (RefundVerdict.ASK_AGAIN, "re_1", "reference_not_needed"),
    ],
)
async def test_a_reference_that_cannot_be_is_refused(
    till: Till, verdict: RefundVerdict, reference: str | None, code: str
) -> None:
    await doubt(till, made=True)
    named = till.intent if reference == "the payment" else reference
    assert refused(await settle(till, verdict, reference=named)) == [code]
    assert await effect(till.cashdesk) == "uncertain"


async def test_the_providers_word_ends_the_doubt_and_its_goods_are_received(till: Till) -> None:
    """Fulfillment takes goods back when it hears that a refund was sent, so that is said although it came late."""
    await doubt(till, made=True)
    emitted = await till.cashdesk.pay(*(json.loads(body) for body in till.webhooks))
    assert (len(of_kind(emitted, RefundSent)), len(of_kind(emitted, RefundConfirmed))) == (1, 1)
    assert await position(till.cashdesk, till.order) == (2000, 2000, 0, 0, [])
    assert refused(await settle(till, RefundVerdict.NOT_MADE)) == ["refund_not_uncertain"]
    assert await position(till.cashdesk, till.order) == (2000, 2000, 0, 0, [])


@pytest.mark.parametrize("state", ["succeeded", "pending", "failed", "canceled"])
async def test_the_providers_word_ends_the_uncertain_effect_too(till: Till, state: str) -> None:
    """Operations counts effects: one whose refund is known stands there no longer, however the refund ended."""
    await doubt(till, made=True)
    values = [json.loads(body) for body in till.webhooks]
    for one in values:
        one["data"]["object"]["status"] = state
    await till.cashdesk.pay(*values)
    assert await effect(till.cashdesk) == "done"
    detail = await till.cashdesk.desk.fetchval("SELECT detail FROM msg.effect")
    assert detail == f"stripe reported {next(iter(till.api.refunds.values()))['id']}"


async def test_a_refund_that_the_provider_reported_before_leaves_no_uncertain_effect(till: Till) -> None:
    await till.ask()
    await _make(till)
    await till.cashdesk.pay(*(json.loads(body) for body in till.webhooks))
    await till.cashdesk.desk.fetch("UPDATE msg.effect SET detail = 'away', attempts = 1 RETURNING key")
    till.api._key = "sk_test_of-another-time"
    await send(till.cashdesk)
    assert await effect(till.cashdesk) == "done"


async def test_a_refund_that_is_being_looked_up_is_left_to_its_answer(till: Till) -> None:
    await doubt(till, made=True)
    await settle(till, RefundVerdict.ASK_AGAIN)
    await till.cashdesk.pay(*(json.loads(body) for body in till.webhooks))
    assert await effect(till.cashdesk) == "planned"


async def test_what_the_provider_made_counts_whatever_staff_decided(till: Till) -> None:
    await doubt(till, made=True)
    await settle(till, RefundVerdict.NOT_MADE)
    await till.cashdesk.pay(*(json.loads(body) for body in till.webhooks))
    assert await position(till.cashdesk, till.order) == (2000, 2000, 0, 0, [])


async def test_only_a_sent_refund_is_settled(till: Till) -> None:
    await till.cashdesk.desk.deliver(refund_order(till.order, 1000, mode=RefundMode.RECORDED))
    assert refused(await settle(till, RefundVerdict.MADE, reference="re_1")) == ["refund_unknown"]


async def test_one_still_to_be_sent_is_settled_by_nobody(till: Till) -> None:
    await till.ask()
    assert refused(await settle(till, RefundVerdict.NOT_MADE)) == ["refund_not_uncertain"]
    assert await effect(till.cashdesk) == "planned"


async def _noted_without_reference(till: Till) -> None:
    """A refund that an earlier version took as made, by a person's word alone."""
    await doubt(till, made=False)
    await till.cashdesk.desk.fetch("UPDATE refund SET is_sent = true")
    await till.cashdesk.desk.fetch("UPDATE msg.effect SET state = 'done'")


async def test_a_refund_noted_as_made_without_a_reference_stays_reserved_until_it_is_named(
    till: Till,
) -> None:
    await _noted_without_reference(till)
    assert "refund_exceeds_received" in reasons(await till.ask(4000))
    assert refused(await settle(till, RefundVerdict.MADE)) == ["refund_reference_missing"]
    outcome = await settle(till, RefundVerdict.MADE, reference="re_seen")
    (confirmed,) = outcome.messages_of(RefundConfirmed)
    assert (confirmed.refund.provider_reference, confirmed.refund.confirmed_minor) == ("re_seen", 2000)
    assert await position(till.cashdesk, till.order) == (2000, 2000, 0, 0, [])
    assert refused(await settle(till, RefundVerdict.MADE, reference="re_seen")) == ["refund_not_uncertain"]


async def test_a_refund_noted_as_made_can_turn_out_not_to_be(till: Till) -> None:
    """Its credit remains, as with every refund that fails later: the money is owed and can be refunded again."""
    await _noted_without_reference(till)
    outcome = await settle(till, RefundVerdict.NOT_MADE, "absent du tableau de bord")
    (failed,) = outcome.messages_of(RefundFailed)
    assert failed.refund.detail == "not_made by staff:zoe: absent du tableau de bord"
    assert await position(till.cashdesk, till.order) == (2000, 0, 0, -2000, ["refund_failed"])
    once_more = refund_order(till.order, 2000, mode=RefundMode.SENT, cause=RefundCause.OVERPAID)
    assert (await till.cashdesk.desk.deliver(once_more)).messages_of(CommandRejected) == []
    till.api._key = KEY
    await send(till.cashdesk)
    assert await position(till.cashdesk, till.order) == (2000, 2000, 0, 0, [])


async def test_a_refund_noted_as_made_is_looked_for_at_the_provider_and_never_made_twice(till: Till) -> None:
    await doubt(till, made=True)
    await till.cashdesk.desk.fetch("UPDATE refund SET is_sent = true")
    await till.cashdesk.desk.fetch("UPDATE msg.effect SET state = 'done'")
    till.api._key, till.api._answers = KEY, {}
    assert (await settle(till, RefundVerdict.ASK_AGAIN)).messages_of(CommandDone)
    assert refused(await settle(till, RefundVerdict.NOT_MADE)) == ["refund_being_asked"]
    await send(till.cashdesk)
    assert len(till.api.refunds) == 1
    assert await position(till.cashdesk, till.order) == (2000, 2000, 0, 0, [])
