"""What a run counts as right, and the report in which it is shown."""

from collections import Counter
from dataclasses import replace
from uuid import UUID, uuid4

from contracts.message import Reason
from contracts.sale import Module
from contracts.storefront import OrderAccepted, OrderRefused
from deploy.auditor.finding import Violation
from deploy.demo.expecting import expected_end
from deploy.demo.figures import Figures, lost_orders, percentile, wrong_mails
from deploy.demo.mail.conversations import Conversations
from deploy.demo.money.documents import CREDIT_NOTE, INVOICE, Documents, mails_with_documents
from deploy.demo.money.receipts import Receipts, expected_receipts, wrong_receipts
from deploy.demo.play import wrong_answer
from deploy.demo.sales.orders import demo_sales
from deploy.demo.sales.sale import Sale
from deploy.demo.sales.unknown_addresses import is_unknown, with_unknown_address
from deploy.demo.script import Script
from deploy.samples.merchants import GARANCE

SALES = demo_sales()
GOOD = next(sale for sale in SALES if sale.is_placed)
BAD = next(sale for sale in SALES if sale.refusals)
UNREADABLE = next(sale for sale in SALES if sale.body is not None)
REPEAT = next(sale for sale in SALES if sale.repeats is not None)
FIGURES = Figures(
    submitted=12,
    placed=10,
    refused=Counter(cancellation_without_order=1, no_lines=1),
    carts=Counter(abandoned=1),
    states=Counter(ready=10),
    payments=Counter(paid=10),
    receipts=Receipts(Counter(card=9, paypal=1), Counter()),
    documents=Documents({INVOICE: [{}, {}], CREDIT_NOTE: [{}]}),
    disputes=Counter(won=1),
    conversations=Conversations(received=Counter(posted=1, automatic=1)),
    lost=1,
    reconciled=1,
    fulfilment=Counter(delivered=10),
    modules=Counter(shop=10),
    mails_accepted=20,
    mails_returned=Counter(),
    suppressed_addresses=0,
    mails_duplicated=0,
    handled=100,
    duplicates=3,
    parked=1,
    webhooks=Counter(accepted=5),
    latencies_ms=[20.0, 30.0, 40.0],
    violations=[Violation("check", "sentence", "here", "1", "2")],
)


def accepted(sale: Sale, order_id: UUID | None = None) -> OrderAccepted:
    return OrderAccepted(
        shop="atelier-garance",
        module=Module.SHOP,
        order_id=order_id or sale.event_id,
        code="K7F3-QD9M",
        idempotency_key=sale.submission.idempotency_key,
        total_minor=sale.total_minor,
        currency="EUR",
    )


def refused(sale: Sale, *codes: str) -> OrderRefused:
    reasons = [Reason(code=code, message="because") for code in codes]
    return OrderRefused(
        shop="atelier-garance", module=Module.SHOP, submission_id=sale.event_id, reasons=reasons
    )


def test_a_good_sale_must_be_accepted_as_its_own_order() -> None:
    assert wrong_answer(GOOD, accepted(GOOD)) is None
    assert "should be" in str(wrong_answer(GOOD, accepted(GOOD, uuid4())))
    assert "was refused for no_lines" in str(wrong_answer(GOOD, refused(GOOD, "no_lines")))


def test_a_bad_sale_must_be_refused_for_what_is_wrong_with_it() -> None:
    assert wrong_answer(BAD, refused(BAD, *BAD.refusals)) is None
    assert wrong_answer(BAD, refused(BAD, *BAD.refusals, "something_more")) is None
    assert "not for" in str(wrong_answer(BAD, refused(BAD, "something_else")))
    assert "was accepted" in str(wrong_answer(BAD, accepted(BAD)))


def test_an_unreadable_message_may_be_refused_for_whatever_reason_but_not_accepted() -> None:
    assert wrong_answer(UNREADABLE, refused(UNREADABLE, "schema_invalid")) is None
    assert "its form" in str(wrong_answer(UNREADABLE, accepted(UNREADABLE)))


def test_a_repeat_must_get_the_first_answer() -> None:
    assert wrong_answer(REPEAT, accepted(REPEAT, REPEAT.repeats)) is None
    assert "should be" in str(wrong_answer(REPEAT, accepted(REPEAT)))
    assert "should be accepted" in str(wrong_answer(REPEAT, refused(REPEAT, "idempotency_conflict")))


def test_the_report_has_exactly_these_keys() -> None:
    assert FIGURES.report() == {
        "orders": {"submitted": 12, "placed": 10, "refused": 2},
        "states": {"ready": 10},
        "payments": {"paid": 10},
        "received": {"card": 9, "paypal": 1},
        "refunds": {},
        "documents": {"invoice": 2, "credit_note": 1},
        "disputes": {"won": 1},
        "conversations": {"threads": {}, "messages": {}, "received": {"posted": 1, "automatic": 1}},
        "webhooks": {"lost": 1, "reconciled": 1},
        "fulfilment": {"delivered": 10},
        "modules": {"shop": 10},
        "mails": {"accepted": 20, "duplicated": 0},
        "suppressed_addresses": 0,
        "messages": {"handled": 100, "duplicates": 3, "parked": 1},
        "latency_ms": {"p50": 30.0, "p99": 40.0},
        "audit": {"violations": 1},
    }


def test_an_order_that_is_neither_placed_nor_refused_is_missed() -> None:
    assert lost_orders(FIGURES) == []
    assert lost_orders(replace(FIGURES, placed=9)) == ["12 orders asked for, but 9 placed and 2 refused"]


def test_a_missing_or_extra_mail_is_reported() -> None:
    script = Script(GARANCE, [], [GOOD, BAD])
    right = expected_end(GOOD).mails + mails_with_documents([GOOD])
    assert mails_with_documents([GOOD]) == 1
    assert wrong_mails(replace(FIGURES, mails_accepted=right), script) == []
    assert wrong_mails(replace(FIGURES, mails_accepted=right + 1), script) == [
        f"{right} mails should have gone out, {right + 1} were accepted"
    ]


def test_only_the_merchant_is_notified_of_a_customer_whose_address_does_not_exist() -> None:
    sales = with_unknown_address(SALES)
    [mistyped] = [sale for sale in sales if is_unknown(sale)]
    script = Script(GARANCE, [], [mistyped])
    right = replace(FIGURES, mails_accepted=1, suppressed_addresses=1)
    assert wrong_mails(right, script) == []
    assert wrong_mails(replace(right, suppressed_addresses=0), script) == [
        "1 addresses should be suppressed, 0 are"
    ]


def test_a_missing_payment_or_refund_is_reported() -> None:
    sales = [GOOD]
    right = expected_receipts(sales)
    assert wrong_receipts(right, sales) == []
    [payments, refunds] = wrong_receipts(Receipts(Counter(), Counter({"recorded by hand": 1})), sales)
    assert payments == "payments should be card 1, are none"
    assert refunds == "refunds should be none, are recorded by hand 1"


def test_percentiles_are_values_that_were_measured() -> None:
    assert percentile([], 50) == 0.0
    assert percentile([5.0], 99) == 5.0
    assert percentile([float(number) for number in range(1, 101)], 50) == 50.0
    assert percentile([float(number) for number in range(1, 101)], 99) == 99.0
