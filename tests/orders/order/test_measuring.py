"""What the metrics of orders count: once per fact, whatever is repeated."""

from collections.abc import Callable
from pathlib import Path

from prometheus_client import REGISTRY, Counter

from contracts.orders.lifecycle import OrderState
from services.orders.order.unit import measuring
from tests.builders.submissions import SHOP, a_line, a_sale, paid_by
from tests.conftest import Desks
from tests.orders.builders import a_life

README = Path(__file__).resolve().parents[3] / "services" / "orders" / "README.md"


def since(name: str, **labels: str) -> Callable[[], float]:
    """Return a function that returns how much a series has grown since this call."""

    def value() -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    before = value()
    return lambda: value() - before


def entered(state: str) -> Callable[[], float]:
    return since("comptoir_order_states_entered_total", shop=SHOP, state=state)


async def test_each_state_an_order_enters_is_counted_once(desks: Desks) -> None:
    desk = await desks("orders")
    counts = {state.value: entered(state.value) for state in OrderState}
    life = await a_life(desk, payment=paid_by("cash"))
    for _ in range(2):
        await desk.deliver(life.balance(2, received=life.total, received_by_hand_minor=life.total))
        for fact in (life.reserved(), life.packed(), life.dispatched(), life.delivered()):
            await desk.deliver(fact)
    found = {state: count() for state, count in counts.items() if count()}
    assert found == {"ready": 1, "processing": 1, "completed": 1}


async def test_full_payment_and_the_last_shipment_are_observed_once(desks: Desks) -> None:
    desk = await desks("orders")
    paid = since("comptoir_order_paid_seconds_count", method="card")
    waited = since("comptoir_order_paid_seconds_sum", method="card")
    shipped = since("comptoir_order_shipped_seconds_count")
    life = await a_life(desk)
    await desk.deliver(life.balance(2, received=1))
    assert paid() == 0
    for _ in range(2):
        await desk.deliver(life.balance(3, received=life.total))
        await desk.deliver(life.balance(4, received=life.total + 1))
    placed_at, changed_at = (await desk.fetch("SELECT placed_at, changed_at FROM orders"))[0]
    assert paid() == 1
    assert waited() <= (changed_at - placed_at).total_seconds()
    for fact in (life.reserved(), life.packed()):
        await desk.deliver(fact)
    assert shipped() == 0
    for _ in range(2):
        await desk.deliver(life.dispatched())
        await desk.deliver(life.delivered())
    assert shipped() == 1


async def test_an_order_without_an_amount_waits_for_no_payment(desks: Desks) -> None:
    desk = await desks("orders")
    paid = since("comptoir_order_paid_seconds_count", method="free")
    life = await a_life(
        desk, a_line(unit_price_minor=0, tax_minor=None), shipping=None, payment={"method": "free"}
    )
    await desk.deliver(life.balance(2))
    assert paid() == 0


async def test_a_refusal_counts_each_of_its_reasons(desks: Desks) -> None:
    desk = await desks("orders")
    mine, foreign = (
        since("comptoir_submissions_refused_total", shop=shop, reason=reason)
        for shop, reason in ((SHOP, "totals_do_not_add_up"), ("other", "not_your_shop"))
    )
    sale = a_sale()
    wrong = sale.model_copy(
        update={"totals": sale.totals.model_copy(update={"total_minor": sale.totals.total_minor + 1})}
    )
    await desk.deliver(wrong, user_id=f"storefront.{SHOP}.shop")
    await desk.deliver(a_sale(), user_id="storefront.other.shop")
    assert (mine(), foreign()) == (1, 1)


async def test_every_state_of_a_known_shop_is_exported_before_its_first_order() -> None:
    measuring.start(["before-its-first-order"])
    for state in OrderState:
        labels = {"shop": "before-its-first-order", "state": state.value}
        assert REGISTRY.get_sample_value("comptoir_order_states_entered_total", labels) == 0


def test_the_readme_lists_them() -> None:
    section = README.read_text().split("\n## Metrics\n", 1)[1].split("\n## ", 1)[0]
    for metric in (measuring.STATES, measuring.REFUSED, measuring.PAID_SECONDS, measuring.SHIPPED_SECONDS):
        name = f"{metric._name}_total" if isinstance(metric, Counter) else metric._name
        labels = f" {', '.join(metric._labelnames)} " if metric._labelnames else " "
        assert f"| `{name}` |{labels}| {metric._documentation} |" in section
