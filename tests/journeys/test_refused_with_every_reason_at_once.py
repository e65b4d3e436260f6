"""A storefront gets all errors of a sale in one answer, in its own queue, and no sale is lost."""

from dataclasses import replace

from contracts.envelope import uuid7
from contracts.storefront import OrderRefused
from tests.journeys.sales import a_sale, notebooks
from tests.journeys.shop import Shop


async def test_every_mistake_is_named_in_one_answer(shop: Shop) -> None:
    good = a_sale(notebooks(2))
    [line] = good.submission.lines
    wrong = good.submission.model_copy(
        update={
            "payment": None,
            "shipping_address": None,
            "lines": [line.model_copy(update={"quantity": 0}), line.model_copy(update={"total_minor": 1})],
            "totals": good.submission.totals.model_copy(update={"total_minor": 2501}),
        }
    )
    sale = replace(good, submission=wrong)
    await shop.submit(sale)

    answer = await shop.answer(sale)

    assert isinstance(answer, OrderRefused)
    codes = {reason.code for reason in answer.reasons}
    assert codes >= {
        "payment_method_missing",
        "shipping_address_missing",
        "quantity_not_positive",
        "line_total_wrong",
        "totals_do_not_add_up",
    }
    assert "lines[1].total_minor" in {reason.field for reason in answer.reasons}
    assert all(reason.message for reason in answer.reasons)
    assert answer.idempotency_key == sale.submission.idempotency_key
    await _no_order(shop, sale.event_id)
    kept = (await shop.http.get(f"/v1/submissions/shop/{sale.submission.idempotency_key}")).json()
    assert kept["answer"] == "refused"
    assert {reason["code"] for reason in kept["reasons"]} == codes


async def test_an_unknown_currency_is_refused(shop: Shop) -> None:
    sale = a_sale(currency="EUX")
    await shop.submit(sale)
    answer = await shop.answer(sale)
    assert isinstance(answer, OrderRefused)
    assert [reason.code for reason in answer.reasons] == ["currency_unknown"]
    assert "EUX" in answer.reasons[0].message


async def test_what_does_not_fit_the_schema_is_answered_and_kept(shop: Shop) -> None:
    body = (
        b'{"shop": "atelier-garance", "module": "shop", "lines": "three notebooks", "customer": {"name": ""}}'
    )
    sale = replace(a_sale(), event_id=uuid7(), body=body)
    await shop.submit(sale)

    answer = await shop.answer(sale)

    assert isinstance(answer, OrderRefused)
    assert {reason.code for reason in answer.reasons} == {"schema_invalid"}
    assert {reason.field for reason in answer.reasons} >= {
        "lines",
        "customer.name",
        "totals",
    }
    kept = await shop.parked("orders", "discarded")
    [row] = [row for row in kept if row["event_id"] == str(sale.event_id)]
    assert row["reason"] == "schema_invalid"
    assert "contracts/schemas/storefront.order.submitted.v1.json" in row["detail"]
    await _no_order(shop, sale.event_id)


async def _no_order(shop: Shop, order: object) -> None:
    assert (await shop.http.get(f"/v1/orders/{order}")).status_code == 404
