"""What the metric of the ledger counts."""

from prometheus_client import REGISTRY

from contracts.envelope import uuid7
from tests.payments.builders import placed, record
from tests.payments.cashdesk import CashDesk


def amount(shop: str, kind: str, currency: str = "EUR") -> float:
    labels = {"shop": shop, "currency": currency, "kind": kind}
    return REGISTRY.get_sample_value("comptoir_ledger_amount_total", labels) or 0.0


async def test_posted_amounts_are_counted_once_in_units_of_the_currency(cashdesk: CashDesk) -> None:
    order, command_id = placed(5025), uuid7()
    kinds = ("order_total", "payment_received", "refund_paid")
    before = [amount(order.shop, kind) for kind in kinds]
    for _ in range(2):
        await cashdesk.desk.deliver(order)
        await cashdesk.desk.deliver(record(order, 2010), id=command_id)
    grown = [amount(order.shop, kind) - known for kind, known in zip(kinds, before, strict=True)]
    assert [round(one, 2) for one in grown] == [50.25, 20.1, 0.0]


async def test_an_amount_in_yen_is_not_divided(cashdesk: CashDesk) -> None:
    order = placed(5025, currency="JPY")
    before = amount(order.shop, "order_total", "JPY")
    await cashdesk.desk.deliver(order)
    assert amount(order.shop, "order_total", "JPY") - before == 5025
