"""An order placed is an account opened, once."""

from uuid import UUID

from contracts.envelope import uuid7
from contracts.payments.accounts import BalanceChanged
from contracts.sale import PaymentMethod
from services.chassis.testing import envelope_for
from tests.payments.builders import intent_id, placed
from tests.payments.cashdesk import CashDesk


async def test_an_account_is_opened_with_what_is_due(cashdesk: CashDesk) -> None:
    order = placed(5000, reference="pi_opening")
    outcome = await cashdesk.desk.deliver(order)
    (changed,) = outcome.messages_of(BalanceChanged)
    assert (changed.position.due_minor, changed.position.balance_minor, changed.position.version) == (
        5000,
        5000,
        1,
    )
    assert await cashdesk.entries(order) == [("order_total", 5000)]
    assert await cashdesk.desk.fetchval("SELECT order_id FROM provider_object") == order.order_id


async def test_an_order_repeated_under_another_id_changes_nothing(cashdesk: CashDesk) -> None:
    order = placed()
    await cashdesk.desk.deliver(order)
    again = await cashdesk.desk.deliver(order, id=uuid7())
    assert (again.result, again.emitted) == ("handled", [])
    assert await cashdesk.entries(order) == [("order_total", 5000)]


async def test_the_same_event_again_is_a_duplicate(cashdesk: CashDesk) -> None:
    order, event_id = placed(), uuid7()
    await cashdesk.desk.deliver(order, id=event_id)
    assert (await cashdesk.desk.deliver(order, id=event_id)).result == "duplicate"


async def test_the_first_entrys_id_comes_from_the_order(cashdesk: CashDesk) -> None:
    order = placed(order_id=UUID("01939d6e-7a00-7000-8000-000000000001"))
    await cashdesk.desk.deliver(order)
    found = await cashdesk.desk.fetchval("SELECT id FROM ledger_entry")
    assert found == UUID("e6e562f5-bc32-5e0e-a4bb-18d467cf64e2")


async def test_nothing_due_is_settled_at_once(cashdesk: CashDesk) -> None:
    outcome = await cashdesk.desk.deliver(placed(0, method=PaymentMethod.FREE))
    (changed,) = outcome.messages_of(BalanceChanged)
    assert changed.position.balance_minor == 0


async def test_an_order_below_zero_is_parked(cashdesk: CashDesk) -> None:
    outcome = await cashdesk.desk.deliver(placed(-1))
    assert outcome.result == "parked"
    assert "total_negative" in outcome.detail


async def test_a_hundred_orders_in_one_commit(cashdesk: CashDesk) -> None:
    orders = [placed(100 + n, reference=intent_id()) for n in range(100)]
    await cashdesk.desk.deliver_all([(envelope_for("payments", order), order, None) for order in orders])
    assert await cashdesk.desk.fetchval("SELECT sum(balance_minor) FROM account") == sum(range(100, 200))
    assert await cashdesk.desk.fetchval("SELECT count(*) FROM provider_object") == 100
