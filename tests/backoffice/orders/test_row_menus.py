"""A row of the list and the order's «Infos» offer a person the same, whatever state the order is in."""

import re
from html import unescape

import pytest

from contracts.payments.accounts import BalanceChanged, Position
from contracts.payments.refunds import RefundCause, RefundMode, RefundOrder, RefundSent
from services.orders.backoffice.access.permissions import Role
from services.orders.staff import archiving
from tests.backoffice.browser import Backoffice
from tests.backoffice.ledger_messages import receive, refunded
from tests.orders.changing_orders import Merchant
from tests.orders.rest_client import place, sale


async def a_merchant(backoffice: Backoffice) -> Merchant:
    return Merchant(backoffice.desk, await place(backoffice.desk, sale()))


async def some_orders(backoffice: Backoffice) -> dict[str, str]:
    """Orders in many states: their codes by what is special about them."""
    named = ("new", "paid", "refunded", "cancelled", "reinstated", "archived", "repaid")
    found = {name: await a_merchant(backoffice) for name in named}
    for name in ("cancelled", "reinstated", "archived"):
        await found[name].cancel()
        await backoffice.desk.deliver(await found[name].stopped(), sender="fulfillment")
    await found["reinstated"].reinstate()
    await backoffice.desk.deliver(await found["reinstated"].added(), sender="fulfillment")
    async with backoffice.desk.unit() as unit:
        await archiving.archive(unit, "maison", [found["archived"].order.order_id], "test")
    await receive(backoffice.desk, found["paid"].order)
    await _pay_back(backoffice, found["repaid"])
    await _ask_for_a_refund(backoffice, found["refunded"])
    return {name: merchant.order.code for name, merchant in found.items()}


async def _pay_back(backoffice: Backoffice, merchant: Merchant) -> None:
    """All that was received went back."""
    order = merchant.order
    await receive(backoffice.desk, order)
    position = Position(
        version=3,
        currency="EUR",
        due_minor=8400,
        received_minor=8400,
        refunded_minor=8400,
        balance_minor=8400,
    )
    about = {"shop": order.shop, "order_id": order.order_id, "code": order.code}
    await backoffice.desk.deliver(BalanceChanged(**about, position=position))


async def _ask_for_a_refund(backoffice: Backoffice, merchant: Merchant) -> None:
    """A refund is under way."""
    order = merchant.order
    await receive(backoffice.desk, order)
    request = RefundOrder(
        shop=order.shop,
        order_id=order.order_id,
        refund_id=order.order_id,
        mode=RefundMode.SENT,
        amount_minor=400,
        currency="EUR",
        cause=RefundCause.CREDIT,
        actor="staff:zoe",
    )
    await backoffice.desk.deliver(refunded(order.code, RefundSent)(order.order_id, request))


def _menu(html: str, code: str) -> list[str]:
    """What a menu leads to, in its sequence."""
    path = rf"(?:/orders/{code}((?:/|#)\w+)|/orders/(archive|unarchive))\""
    return [
        (one[1] or one[2]).strip("/#") for one in re.finditer(rf'(?:href|action|formaction)="{path}', html)
    ]


def _row_menu(html: str, code: str) -> list[str]:
    found = re.search(rf'id="more-{code}" popover>(.*?)</span></td>', html, re.DOTALL)
    assert found is not None, f"the list has no menu for {code}"
    return _menu(unescape(found[1]), code)


def _infos_menu(html: str, code: str) -> list[str]:
    found = re.search(r'id="order-actions" popover.*?</article>', html, re.DOTALL)
    assert found is not None, f"«Infos» of {code} have no menu"
    whole = found[0]
    return _menu(whole[: whole.index("<h2>")], code)


@pytest.mark.rows("B06", "B13")
@pytest.mark.parametrize("role", Role)
async def test_a_row_and_infos_offer_the_same(backoffice: Backoffice, role: Role) -> None:
    codes = await some_orders(backoffice)
    browser = await backoffice.signed_in(role)
    listed = (await browser.get("/orders?tab=everything")).text
    offered = {
        name: (
            _row_menu(listed, code),
            _infos_menu((await browser.get(f"/orders/{code}/infos")).text, code),
        )
        for name, code in codes.items()
    }
    assert {name: row for name, (row, _) in offered.items()} == {
        name: infos for name, (_, infos) in offered.items()
    }
    if role is Role.OWNER:
        assert "refund" in offered["paid"][0]
        assert "refund" not in offered["repaid"][0], "nothing of it is left"
        assert "reinstatement" in offered["cancelled"][0]
        assert "reinstatement" not in offered["reinstated"][0]
        assert "unarchive" in offered["archived"][0]
    if role is Role.MANAGER:
        assert "deletion" in offered["new"][0]
        assert "deletion" not in offered["paid"][0], "money moved for it"
