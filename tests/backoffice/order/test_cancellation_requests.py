"""A customer's request to cancel in the back office: shown on the order, declined with a reason, once."""

import pytest

from services.orders.backoffice.access.permissions import Role
from tests.backoffice.browser import Backoffice
from tests.orders.api.test_customer_orders import a_request, flags
from tests.orders.rest_client import place, sale

pytestmark = pytest.mark.rows("C16")


async def test_a_request_is_answered_with_a_reason_for_the_customer(backoffice: Backoffice) -> None:
    order = await place(backoffice.desk, sale())
    browser = await backoffice.signed_in(Role.MANAGER)
    page, path = f"/orders/{order.code}", f"/orders/{order.code}/cancellation-request"
    assert (await browser.get(path)).status == 303
    await backoffice.desk.deliver(a_request(order, comment="<b>Deux fois</b>"))
    shown = await browser.get(page)
    assert "The customer has requested cancellation of this order." in shown.words
    asked = await browser.get(path)
    assert "<b>Deux fois</b>" in asked.words
    assert f"{page}/cancellation" in asked.text
    fields = dict(asked.form(path).fields)
    assert (await browser.post(path, {**fields, "reason": " "})).status == 422
    for _ in range(2):
        assert (await browser.post(path, {**fields, "reason": "Déjà gravée."})).status == 303
    assert await flags(backoffice.desk, order.order_id) == []
    assert "Déjà gravée." in (await browser.get(page)).words
    packer = await backoffice.signed_in(Role.FULFILMENT)
    assert (await packer.get(path)).status == 403
