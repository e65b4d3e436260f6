"""The demo's sales: all modules, all methods, the same for the same seed, with an end that follows from
the story.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta

from contracts.sale import LineKind, Module, PaymentMethod
from contracts.storefront import OrderSubmitted
from deploy.demo.expecting import expected_end, received_minor
from deploy.demo.play import TRICKS
from deploy.demo.sales.orders import DAYS, ON_HAND, demo_sales
from deploy.demo.sales.sale import OnlineStory
from deploy.demo.sales.stories import with_refunds

OPENED = datetime(2026, 11, 22, 9, tzinfo=UTC)
SALES = demo_sales(opened_at=OPENED)
PLACED = [sale for sale in SALES if sale.is_placed]


def test_every_module_method_and_language_takes_part() -> None:
    assert {sale.submission.module for sale in PLACED} == set(Module)
    methods = {sale.submission.payment.method for sale in PLACED if sale.submission.payment}
    assert methods == set(PaymentMethod) - {PaymentMethod.OTHER}
    assert {sale.submission.locale[:2] for sale in PLACED} == {"fr", "en"}
    assert {line.kind for sale in PLACED for line in sale.submission.lines} == set(LineKind)


def test_each_provider_reports_payments_in_every_way_and_has_some_that_frauds_can_claim() -> None:
    for provider, tricks in TRICKS.items():
        stories = Counter(sale.story.online for sale in PLACED if sale.provider == provider)
        assert set(stories) == set(OnlineStory) - {OnlineStory.LOST}
        assert stories[OnlineStory.NEVER] >= len(tricks)


def test_money_goes_back_by_both_providers_and_by_hand() -> None:
    refunded = Counter(
        (sale.story.refund.mode.value, sale.provider) for sale in with_refunds(PLACED) if sale.story.refund
    )
    assert refunded == {("sent", "stripe"): 3, ("sent", "paypal"): 3, ("recorded", None): 3}


def test_the_size_stays_that_of_a_demo() -> None:
    assert 120 <= len(PLACED) <= 200
    assert 5 <= len(SALES) - len(PLACED) <= 15


def test_the_same_seed_makes_the_same_sales() -> None:
    again = demo_sales(opened_at=OPENED)
    assert [(s.submission, s.story, s.refusals, s.copies) for s in again] == [
        (s.submission, s.story, s.refusals, s.copies) for s in SALES
    ]
    assert demo_sales(seed=1, opened_at=OPENED)[0].submission != SALES[0].submission


def test_event_ids_are_new_in_every_run_and_grow_in_the_sequence_of_publishing() -> None:
    ids = [sale.event_id for sale in SALES]
    assert len(set(ids)) == len(ids)
    assert ids == sorted(ids)


def test_totals_of_good_sales_add_up() -> None:
    for sale in PLACED:
        totals = sale.submission.totals
        assert totals.total_minor == totals.lines_minor + totals.shipping_minor + totals.extras_minor
        assert totals.lines_minor == sum(line.total_minor for line in sale.submission.lines)
        assert 0 <= totals.tax_minor < max(totals.total_minor, 1)


def test_zero_is_free_and_free_is_zero() -> None:
    for sale in PLACED:
        assert sale.submission.payment is not None
        assert (sale.submission.payment.method is PaymentMethod.FREE) == (sale.total_minor == 0)


def test_stock_is_enough_and_no_parcel_holds_more_than_was_ordered() -> None:
    sold: Counter[str] = Counter()
    for sale in PLACED:
        packed: Counter[int] = Counter()
        for parcel in sale.story.parcels:
            for line in parcel:
                packed[line.line] += line.quantity
        for number, ordered in enumerate(sale.submission.lines, start=1):
            assert packed[number] <= ordered.quantity
            sold[ordered.sku or ""] += ordered.quantity
    assert max(sold[sku] for sku in sold if sku) <= ON_HAND


def test_some_orders_come_to_every_end() -> None:
    ends = [expected_end(sale) for sale in PLACED]
    assert {end.state for end in ends} == {"awaiting_payment", "ready", "processing", "completed"}
    assert {end.payment for end in ends} == {"paid", "unpaid", "partially_paid", "overpaid"}
    assert {"not_required", "unfulfilled", "packed", "partially_shipped", "shipped", "delivered"} <= {
        end.fulfilment for end in ends
    }


def test_completed_means_paid_and_delivered() -> None:
    for sale in PLACED:
        if expected_end(sale).state == "completed":
            assert received_minor(sale) >= sale.total_minor
            delivered = sum(line.quantity for line in sale.story.dispatched_lines(delivered_only=True))
            assert delivered == sum(line.quantity for line in sale.submission.lines)


def test_mails_are_two_and_one_more_for_each_announced_shipment() -> None:
    for sale in PLACED:
        announced = [dispatch for dispatch in sale.story.dispatches if dispatch.notify_customer]
        assert expected_end(sale).mails == 2 + len(announced)


def test_mistakes_are_all_there() -> None:
    refused = {code for sale in SALES for code in sale.refusals}
    assert refused >= {
        "payment_method_missing",
        "totals_do_not_add_up",
        "quantity_not_positive",
        "currency_unknown",
        "free_above_zero",
        "idempotency_conflict",
    }
    assert sum(sale.body is not None for sale in SALES) == 1
    (repeat,) = (sale for sale in SALES if sale.repeats)
    (first,) = (sale for sale in SALES if sale.event_id == repeat.repeats)
    assert repeat.submission == first.submission
    assert repeat.event_id != first.event_id


def test_nothing_is_addressed_to_a_real_mail_box() -> None:
    assert all(sale.recipient.endswith("@example.org") for sale in SALES)


def test_what_is_published_can_be_read_again() -> None:
    for sale in SALES:
        text = sale.submission.model_dump_json(exclude_none=True)
        assert OrderSubmitted.model_validate_json(text) == sale.submission


def test_orders_came_over_two_months_and_some_today() -> None:
    timestamps = [sale.submission.submitted_at for sale in PLACED]
    assert timestamps == sorted(timestamps)
    assert OPENED - timedelta(days=DAYS + 1) <= timestamps[0] < timestamps[-1] < OPENED
    assert 10 <= sum(timestamp > OPENED - timedelta(hours=6) for timestamp in timestamps) <= 40
    weekdays = Counter(timestamp.weekday() for timestamp in timestamps)
    assert weekdays[5] > weekdays[0]
