"""Warnings to the merchant by mail: money without an order, an unconfirmed refund, a dispute's deadline."""

import secrets
import time
from email.message import EmailMessage
from random import Random

from deploy.demo.standins.provider import payment_succeeded
from deploy.demo.standins.stripe_api import event_body
from tests.journeys.mailbox import text_of
from tests.journeys.sales import a_sale
from tests.journeys.shop import Shop
from tests.journeys.timers import let_time_pass

DAY = 86_400


async def test_money_that_no_order_claims(shop: Shop) -> None:
    sale = a_sale()
    await shop.order(sale)
    body = payment_succeeded(sale, Random(secrets.randbits(64)))
    assert await shop.post_webhook(body.replace(b'"currency": "eur"', b'"currency": "gbp"')) == 200
    letter = await _warning(shop, "Paiement sans commande", sale.provider_reference)
    assert "25,00" in str(letter["Subject"])
    assert "Stripe" in text_of(letter)


async def test_a_dispute_whose_answer_is_due(shop: Shop) -> None:
    sale = a_sale()
    [order] = await shop.order(sale)
    await shop.report(sale)
    code = (await shop.until_order(order, payment_status="paid"))["code"]
    dispute = {
        "id": f"du_{sale.provider_reference[3:]}",
        "object": "dispute",
        "amount": 2500,
        "currency": "eur",
        "payment_intent": sale.provider_reference,
        "charge": f"ch_{sale.provider_reference[3:]}",
        "reason": "fraudulent",
        "created": int(time.time()),
        "evidence_details": {"due_by": int(time.time()) + 2 * DAY},
        "balance_transactions": [],
        "status": "needs_response",
    }
    assert await shop.post_webhook(event_body("charge.dispute.created", dispute)) == 200
    letter = await _warning(shop, "litige à traiter", str(code))
    assert "25,00" in text_of(letter)
    closed = event_body("charge.dispute.closed", {**dispute, "status": "won"})
    assert await shop.post_webhook(closed) == 200


async def test_a_recorded_refund_that_nothing_confirms(shop: Shop) -> None:
    sale = a_sale()
    [order] = await shop.order(sale)
    await shop.report(sale)
    code = (await shop.until_order(order, payment_status="paid"))["code"]
    refund = {"mode": "recorded", "amount_minor": 500, "currency": "EUR", "reason": "Geste commercial"}
    await shop.do(f"/orders/{order}/refunds", refund)
    await let_time_pass(shop, "payments", "order_id", order)
    letter = await _warning(shop, "à confirmer", str(code))
    assert "5,00" in str(letter["Subject"])


async def _warning(shop: Shop, about: str, names: str) -> EmailMessage:
    """Return the warning whose text or subject contains `names`."""

    async def found() -> EmailMessage | None:
        letters = shop.mails_now("", about)
        return next((one for one in letters if names in text_of(one) or names in str(one["Subject"])), None)

    return await shop.until(f"warning {about!r} that names {names}", found)
