"""What PayPal's webhooks missed is found in its lists, posted once, and money that one side lacks is a finding."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from deploy.demo.standins.paypal.account import Account
from deploy.demo.standins.paypal.disputes import open_dispute, resolve, review
from deploy.demo.standins.paypal.refunds import refund, reverse, settle_refund
from deploy.demo.standins.paypal.shapes import money
from deploy.demo.standins.paypal.standin import PayPal
from services.payments.providers.listing import ListedEvent, ListedMoney, MoneyKind
from services.payments.providers.paypal.provider import PaypalProvider
from services.payments.providers.port import AnswerUnreadable, ProviderUnavailable, ResultTooLarge
from services.payments.reconciliation import run_store
from services.payments.reconciliation.comparisons import COMPARISONS
from services.payments.reconciliation.running import Reconciler
from tests.payments.conftest import CashDesks
from tests.payments.paypal.conftest import SLUG, Till, settings_for
from tests.payments.reconciliation.test_reconciling import books

AGO = timedelta(hours=6)


@dataclass
class Clock:
    """The time at PayPal, some while ago."""

    back: timedelta = AGO

    def __call__(self) -> datetime:
        return datetime.now(UTC) - self.back

    def later(self, minutes: int = 7) -> None:
        """Let some time go by."""
        self.back -= timedelta(minutes=minutes)


@pytest.fixture
def clock(paypal: PayPal) -> Clock:
    """PayPal's clock, which goes six hours late until the test sets it."""
    found = Clock()
    paypal.account.clock = found
    return found


def happen(account: Account, clock: Clock, references: Sequence[str]) -> None:
    """Payments, a refund, a refund that fails, a reversal, a dispute that is won, one that is lost."""
    captures = []
    for reference in references:
        captures.append(account.pay("50.00", "EUR", order_id=reference)["id"])
        clock.later()
    refund(account, captures[0], {"amount": money(Decimal(12), "EUR")})
    failing = refund(account, captures[0], {"amount": money(Decimal(3), "EUR")}, status="PENDING")
    reverse(account, captures[1], "20.00")
    won = open_dispute(account, captures[0], "30.00", stage="CHARGEBACK")
    lost = open_dispute(account, captures[2])
    clock.later()
    review(account, won["dispute_id"])
    settle_refund(account, failing["id"], "FAILED")
    clock.later()
    resolve(account, won["dispute_id"], "RESOLVED_SELLER_FAVOUR")
    resolve(account, lost["dispute_id"], "RESOLVED_BUYER_FAVOUR")
    clock.back = timedelta(0)


async def reconcile(till: Till, since: timedelta = timedelta(hours=8)) -> None:
    """Run every list from so long ago, and apply what was found."""
    hub, reconciler = till.cashdesk.hub, Reconciler(till.cashdesk.hub, COMPARISONS)
    async with hub.acquire() as connection:
        await run_store.add_runs(connection, reconciler.active()[1], hub.clock.now())
    await hub.pool.execute(
        "UPDATE reconcile_run SET ended_at = now() - interval '2 days', reached_at = now() - $1::interval",
        since,
    )
    for _ in COMPARISONS:
        assert await reconciler.run_due(hub)
        await till.work()


async def disputes(till: Till) -> list[tuple[Any, ...]]:
    rows = await till.cashdesk.desk.fetch(
        "SELECT order_id, object_id, state, held_minor, due_at FROM dispute ORDER BY object_id"
    )
    return [tuple(row) for row in rows]


async def errors(till: Till) -> set[str | None]:
    return {row["error"] for row in await till.cashdesk.desk.fetch("SELECT error FROM reconcile_run")}


@pytest.mark.timeout(300)
async def test_whatever_webhooks_are_lost_the_ledger_is_the_same_after_reconciliation(
    paypal: PayPal, cashdesks: CashDesks, clock: Clock
) -> None:
    till = Till(paypal, await cashdesks(**settings_for(paypal)))
    orders = [await till.order(5000) for _ in range(3)]
    happen(paypal.account, clock, [reference for _, reference in orders])
    values = [one for one in paypal.log.happened if one.type != "CHECKOUT.ORDER.APPROVED"]
    names = {f"{one.id}:{one.type}" for one in values}
    expected: Any = None
    for seed in range(5):
        chance = random.Random(seed)
        if seed:
            till = Till(paypal, await cashdesks(**settings_for(paypal)))
            for order, _ in orders:
                await till.cashdesk.desk.deliver(order)
        kept = values if seed == 0 else [one for one in values if chance.random() < 0.4]
        if kept:
            await till.deliver(*chance.sample(kept, len(kept)))
        await till.work()
        await reconcile(till)
        found = (await books(till.cashdesk), await disputes(till))
        expected = expected or found
        assert found == expected, f"seed {seed}"
        rows = await till.cashdesk.desk.fetch("SELECT event_id, source FROM webhook")
        assert {row["event_id"] for row in rows} == names
        pushed = {row["event_id"] for row in rows if row["source"] == "push"}
        assert pushed == {f"{one.id}:{one.type}" for one in kept}
        assert await errors(till) == {None}
        assert await till.cashdesk.desk.fetch("SELECT kind, side, object_id FROM reconcile_finding") == []
        await reconcile(till)
        assert (await books(till.cashdesk), await disputes(till)) == expected
    assert sorted(state for _, _, state, _, _ in expected[1]) == ["lost", "won"]


async def test_what_a_list_brought_bears_its_origin_and_a_late_webhook_is_a_repeat(
    till: Till, clock: Clock
) -> None:
    order, reference = await till.order(5000)
    till.paypal.account.pay("50.00", "EUR", order_id=reference)
    clock.back = timedelta(0)
    await reconcile(till)
    entries = "SELECT source FROM ledger_entry WHERE kind = 'payment_received'"
    assert [row["source"] for row in await till.cashdesk.desk.fetch(entries)] == ["reconcile"]
    await till.settle()
    assert len(await till.cashdesk.desk.fetch(entries)) == 1
    assert await till.cashdesk.entries(order) == [("order_total", 5000), ("payment_received", 5000)]
    completed = [state for kind, state, _, _ in await till.webhooks() if kind.endswith(".COMPLETED")]
    assert sorted(completed) == ["applied", "duplicate", "duplicate", "duplicate"]


async def test_money_that_only_one_side_has_is_a_finding(till: Till, clock: Clock) -> None:
    _, capture = await till.paid()
    unseen = till.paypal.account.pay("20.00", "EUR")
    clock.back = timedelta(0)
    till.paypal.log.happened.clear()
    movements = till.paypal.account.movements
    till.paypal.account.movements = [one for one in movements if one.id != capture["id"]]
    await reconcile(till, timedelta(days=2))
    rows = await till.cashdesk.desk.fetch(
        "SELECT side, kind, object_id, theirs_minor, ours_minor FROM reconcile_finding ORDER BY side"
    )
    assert [tuple(row) for row in rows] == [
        ("ours", "payment", capture["id"], None, 5000),
        ("theirs", "payment", unseen["id"], 2000, None),
    ]


async def test_a_refund_that_was_posted_and_failed_is_no_finding(till: Till, clock: Clock) -> None:
    _, capture = await till.paid()
    made = refund(till.paypal.account, capture["id"], {}, status="PENDING")
    await till.settle()
    settle_refund(till.paypal.account, made["id"], "FAILED")
    await till.settle()
    kinds = [row["kind"] for row in await till.cashdesk.desk.fetch("SELECT kind FROM ledger_entry")]
    assert {"refund_paid", "refund_failed"} <= set(kinds)
    clock.back = timedelta(0)
    await reconcile(till, timedelta(days=2))
    assert await till.cashdesk.desk.fetch("SELECT kind, side, object_id FROM reconcile_finding") == []


async def test_a_standin_whose_root_is_not_there_yet_is_named_and_read_later(
    paypal: PayPal, cashdesks: CashDesks, clock: Clock
) -> None:
    """Its file is written when the stand-in starts, which may be after payments."""
    later = paypal.root_file.with_suffix(".later")
    paypal.root_file.rename(later)
    till = Till(paypal, await cashdesks(**settings_for(paypal)))
    clock.back = timedelta(0)
    await reconcile(till)
    (event,) = await errors(till) - {None}
    assert "COMPTOIR_PAYPAL_STANDIN_ROOT_FILE" in str(event)
    assert "No such file or directory): start the stand-in" in str(event)
    _, capture = await till.order(5000)
    paypal.account.pay("50.00", "EUR", order_id=capture)
    body, headers = paypal.signed(paypal.log.happened[-1].webhook())
    assert await till.post(body, headers) == 503
    later.rename(paypal.root_file)
    assert await till.post(body, headers) == 200
    await reconcile(till)
    assert await errors(till) == {None}


def provider_of(till: Till) -> PaypalProvider:
    found = till.cashdesk.providers["paypal"]
    assert isinstance(found, PaypalProvider)
    return found


async def listed_money(till: Till, since: timedelta) -> list[ListedMoney]:
    now = datetime.now(UTC)
    return [one async for one in provider_of(till).list_money(SLUG, now - since, now)]


async def listed_events(till: Till) -> list[ListedEvent]:
    now = datetime.now(UTC)
    return [one async for one in provider_of(till).list_events(SLUG, now - timedelta(days=1), now)]


async def test_money_is_listed_in_short_periods_and_never_what_may_come_late(
    till: Till, clock: Clock
) -> None:
    old, late = till.paypal.account, timedelta(hours=2)
    clock.back = timedelta(days=40)
    first = old.pay("10.00", "EUR")
    clock.back = timedelta(hours=5)
    second = old.pay("20.00", "EUR")
    clock.back = late
    old.pay("30.00", "EUR")
    clock.back = timedelta(0)
    found = await listed_money(till, timedelta(days=60))
    assert [(one.kind, one.object_id, one.amount_minor) for one in found] == [
        (MoneyKind.PAYMENT, first["id"], 1000),
        (MoneyKind.PAYMENT, second["id"], 2000),
    ]


async def test_holds_fees_and_declined_payments_are_no_money_of_the_ledger(till: Till, clock: Clock) -> None:
    account = till.paypal.account
    paid = account.pay("50.00", "EUR")
    account.pay("10.00", "EUR", status="DECLINED", reason="DECLINED_BY_RISK_FRAUD_FILTERS")
    case = open_dispute(account, paid["id"], stage="CHARGEBACK")
    resolve(account, case["dispute_id"], "RESOLVED_BUYER_FAVOUR")
    clock.back = timedelta(0)
    found = await listed_money(till, timedelta(days=1))
    assert [(one.kind, one.amount_minor) for one in found] == [
        (MoneyKind.PAYMENT, 5000),
        (MoneyKind.REFUND, 5000),
    ]


async def test_a_payment_that_clears_late_is_listed_when_it_cleared(till: Till, clock: Clock) -> None:
    clock.back = timedelta(days=6)
    account = till.paypal.account
    for_days = account.pay("50.00", "EUR", status="PENDING", reason="ECHECK")
    clock.back = timedelta(hours=5)
    account.settle(for_days["id"], "COMPLETED")
    clock.back = timedelta(0)
    assert [one.object_id for one in await listed_money(till, timedelta(days=2))] == [for_days["id"]]


async def test_a_search_that_is_not_up_to_date_is_no_answer(till: Till, clock: Clock) -> None:
    clock.back = timedelta(0)
    till.paypal.api.report_lag = timedelta(hours=4)
    with pytest.raises(ProviderUnavailable, match="has data until"):
        await listed_money(till, timedelta(days=1))


async def test_events_come_oldest_first_from_every_page_under_their_webhooks_name(
    till: Till, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.payments.providers.paypal.listing.EVENTS_A_PAGE", 3)
    for _ in range(5):
        till.paypal.account.pay("5.00", "EUR")
        clock.later()
    clock.back = timedelta(0)
    found = await listed_events(till)
    happened = [one for one in till.paypal.log.happened if one.type != "CHECKOUT.ORDER.APPROVED"]
    assert [one.event_id for one in found] == [f"{one.id}:{one.type}" for one in happened]
    assert [provider_of(till).name_of(one.body) for one in found] == [
        (one.event_id, one.event_type) for one in found
    ]


async def test_transactions_come_from_every_page(
    till: Till, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.payments.providers.paypal.listing.TRANSACTIONS_A_PAGE", 2)
    captures = [till.paypal.account.pay("5.00", "EUR")["id"] for _ in range(5)]
    clock.back = timedelta(0)
    assert [one.object_id for one in await listed_money(till, timedelta(days=1))] == captures


async def test_a_day_of_more_transactions_than_a_search_finds_is_searched_in_shorter_periods(
    till: Till, clock: Clock
) -> None:
    clock.back = timedelta(hours=20)
    captures = []
    for _ in range(9):
        captures.append(till.paypal.account.pay("5.00", "EUR")["id"])
        clock.later(30)
    clock.back = timedelta(0)
    till.paypal.api.most_found = 2
    assert [one.object_id for one in await listed_money(till, timedelta(days=1))] == captures


async def test_a_minute_of_too_many_transactions_ends_the_comparison_with_paypals_words(
    till: Till, clock: Clock
) -> None:
    for _ in range(3):
        till.paypal.account.pay("5.00", "EUR")
    clock.back = timedelta(0)
    till.paypal.api.most_found = 2
    with pytest.raises(ResultTooLarge, match="Result set size is greater"):
        await listed_money(till, timedelta(days=1))


@pytest.mark.parametrize(
    ("code", "value", "kind"),
    [
        ("T0006", "5.00", MoneyKind.PAYMENT),
        ("T1106", "-5.00", MoneyKind.REFUND),
        ("T1107", "-5.00", MoneyKind.REFUND),
        ("T1201", "-5.00", MoneyKind.REFUND),
        ("T1202", "5.00", MoneyKind.DISPUTE),
        ("T1205", "5.00", MoneyKind.DISPUTE),
        *[
            (code, value, None)
            for code in ("T0106", "T1108", "T1110", "T1111")
            for value in ("5.00", "-5.00")
        ],
    ],
)
async def test_what_a_transactions_code_makes_of_it(
    till: Till, clock: Clock, code: str, value: str, kind: MoneyKind | None
) -> None:
    """The codes are those of PayPal's reference: payments, reversals, refunds, chargebacks, fees and holds."""
    capture = till.paypal.account.pay("5.00", "EUR")
    till.paypal.account.movements.clear()
    till.paypal.account.move(code, Decimal(value), capture)
    clock.back = timedelta(0)
    found = [one.kind for one in await listed_money(till, timedelta(days=1))]
    assert found == ([kind] if kind else [])


async def test_a_list_that_cannot_be_read_proves_nothing(till: Till, clock: Clock) -> None:
    till.paypal.account.pay("5.00", "EUR")
    clock.back = timedelta(0)
    till.paypal.log.happened[-1].content["id"] = "no id at all"
    with pytest.raises(AnswerUnreadable, match="no usable id"):
        await listed_events(till)
