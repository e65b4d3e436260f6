"""Erasure of a customer after an order's whole life: no personal data is left in any table or file, and the ledger
is complete.

One service is down meanwhile, and erases its part after its restart.

The documented exceptions are not provoked here: reasons of refunds and cancellations are notes in the ledger, and
the shop issues no invoices.
"""

import secrets
from email.message import EmailMessage
from email.policy import SMTP
from random import Random
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from contracts.catalogue import CATALOGUE, SERVICES
from contracts.envelope import uuid7
from contracts.sale import PaymentMethod
from deploy.demo.mail.answering import MailRefused, answer_to, deliver
from deploy.demo.sales.sale import Sale
from deploy.demo.standins.provider import payment_succeeded
from deploy.demo.standins.stripe_api import event_body, refund_events, refund_made
from deploy.samples.merchants import GARANCE
from tests.journeys.erased import (
    CUSTOMER,
    HOME,
    MAIL,
    NAME,
    PAGE,
    STREET,
    WORDS,
    files_with_traces,
    tables_with_traces,
    unreadable_messages,
)
from tests.journeys.operating import operate
from tests.journeys.sales import a_sale
from tests.journeys.shop import Shop, delivery
from tests.journeys.test_poison_does_not_block_others import Poison, publish

DOWN = "fulfillment"
OTHER = "z.quatrepoint@work.example"
BOOKS = "SELECT number, kind, amount_minor, hash FROM ledger_entry WHERE order_id = ANY($1) ORDER BY order_id, number"


def sale_of(**changes: Any) -> Sale:
    """Return a sale to the customer."""
    return a_sale(
        customer=CUSTOMER, shipping_address=HOME, billing_address=HOME, note=f"Laissez {WORDS}", **changes
    )


async def live(shop: Shop) -> tuple[Sale, list[UUID]]:
    """Create an order that is paid, packed, shipped, delivered, refunded and disputed, and one that waits for a
    cheque; return the sale of the first, and the ids of both.
    """
    sale, waiting = sale_of(), sale_of(method=PaymentMethod.CHEQUE)
    [order, other] = await shop.order(sale, waiting)
    await shop.report(sale)
    await shop.until_order(order, payment_status="paid")
    shipment = await shop.ship(
        order,
        [await shop.pack(order, {1: 2})],
        tracking_number="6A1234",
        tracking_url=PAGE,
        notify_customer=True,
    )
    await shop.do(
        f"/orders/{order}/shipments/{shipment}/delivery", {**delivery(), "proof_reference": f"Signé {NAME}"}
    )
    await shop.until_order(order, state="completed")
    await refund_and_dispute(shop, sale, order)
    await shop.ask(f"/orders/{order}/comments", {"text": f"{NAME} a appelé pour {WORDS}"})
    status = {"label": "awaiting_payment", "notify_customer": True, "public_comment": f"Bonjour {NAME}"}
    await shop.ask(f"/orders/{other}/status", status)
    await shop.change(other, "cancellation", {"reason": "Plus besoin"})
    await shop.mails_to(MAIL, count=3)
    await write_mails(shop)
    return sale, [UUID(order), UUID(other)]


def an_answer(letter: EmailMessage, sender: str = MAIL) -> EmailMessage:
    """Return the customer's answer to a mail of ours, with an attachment."""
    answer = answer_to(letter, sender, f"Bonjour, {WORDS} ne sonne plus.\n\n{NAME}")
    answer.add_attachment(
        f"{NAME}, {STREET}".encode(), maintype="text", subtype="plain", filename=f"{NAME}.txt"
    )
    return answer


async def write_mails(shop: Shop) -> None:
    """Deliver the customer's mails: an answer, one from another address, and one without an order."""
    port, recap = shop.system.inbound_port, (await shop.mails_to(MAIL))[0]
    unfiled = EmailMessage(policy=SMTP)
    unfiled["From"], unfiled["To"], unfiled["Subject"] = MAIL, GARANCE.profile["from_email"], WORDS
    unfiled.set_content(f"Où est mon colis ? {NAME}, {STREET}")
    for sender, mail in ((MAIL, an_answer(recap)), (OTHER, an_answer(recap, OTHER)), (MAIL, unfiled)):
        await deliver(port, sender, mail)

    async def are_read() -> bool | None:
        rows = await fetch(
            shop, "notifier", "SELECT outcome FROM inbound_mail WHERE envelope_from IN ($1, $2)", MAIL, OTHER
        )
        return sorted(str(row["outcome"]) for row in rows) == ["posted", "posted", "to_file"] or None

    await shop.until("three mails that are read", are_read)


async def refund_and_dispute(shop: Shop, sale: Sale, order: str) -> None:
    """Make a refund that the provider confirms, and a dispute that is won."""
    fields = {"mode": "recorded", "amount_minor": 500, "currency": "EUR", "reason": "Geste commercial"}
    await shop.do(f"/orders/{order}/refunds", fields)
    intent = sale.provider_reference
    for body in refund_events(refund_made(intent, 500, {})):
        assert await shop.post_webhook(body) == 200
    dispute = {
        "id": f"du_{intent[3:]}",
        "object": "dispute",
        "amount": 2500,
        "currency": "eur",
        "payment_intent": intent,
        "charge": f"ch_{intent[3:]}",
        "reason": "fraudulent",
        "created": 1_760_000_000,
        "evidence": {"customer_name": NAME, "customer_email_address": MAIL},
        "evidence_details": {"due_by": 1_960_000_000},
        "balance_transactions": [],
    }
    for kind, status in (("created", "needs_response"), ("closed", "won")):
        body = event_body(f"charge.dispute.{kind}", {**dispute, "status": status})
        assert await shop.post_webhook(body) == 200


async def park(shop: Shop) -> None:
    """Publish invalid messages with the customer's data, one of JSON and one not, and a refused sale."""
    for body in (f'{{"customer": {{"email": "{MAIL}", "name": 7}}}}'.encode(), f"{MAIL} \x00".encode()):
        poison = Poison("schema_invalid", lambda type_: type_, body, "")
        _, _, event_id = await publish(shop, "notifier.orders", poison)

        async def parked(event_id: str = event_id) -> dict[str, Any] | None:
            return next((r for r in await shop.parked("notifier") if r["event_id"] == event_id), None)

        await shop.discard("notifier", await shop.until("a parked message", parked), "made up by a test")
    refused = sale_of(method=None)
    await shop.submit(refused)
    await shop.answer(refused)


async def erase(shop: Shop, order: UUID) -> str:
    """Erase the customer with the command line, and return its output."""
    code = (await shop.shown(str(order)))["code"]
    arguments = ("--shop", shop.name, "--order", code, "--reason", "article 17", "--running", "--yes")
    status, output = await operate(shop, "erase", *arguments)
    assert status == 0, output
    return output


async def fetch(shop: Shop, service: str, query: str, *arguments: Any) -> list[Any]:
    connection = await asyncpg.connect(shop.system.databases[service])
    try:
        return list(await connection.fetch(query, *arguments))
    finally:
        await connection.close()


async def reported(shop: Shop, orders: list[UUID], services: set[str]) -> bool | None:
    """Return whether exactly these services have reported the erasure of these orders."""
    query = """SELECT service FROM erasure_report
               WHERE erasure_id IN (SELECT erasure_id FROM msg.erased WHERE order_id = ANY($1))"""
    rows = await fetch(shop, "orders", query, orders)
    return {row["service"] for row in rows} == services or None


async def no_trace(shop: Shop, *, of_others: bool = False) -> list[str]:
    """Wait until no trace is left, and return those left at the timeout. `of_others`: without the service that is
    down.
    """
    found: list[str] = []
    databases = {name: url for name, url in shop.system.databases.items() if not (of_others and name == DOWN)}

    async def looked() -> bool | None:
        found[:] = await tables_with_traces(databases)
        return True if not found else None

    try:
        await shop.until("table without traces", looked)
    except AssertionError:
        return found
    return []


async def test_nothing_of_an_erased_customer_is_left_and_the_books_are_whole(shop: Shop) -> None:
    sale, orders = await live(shop)
    await park(shop)
    assert await tables_with_traces(shop.system.databases)
    books = await fetch(shop, "payments", BOOKS, orders)
    shown = [await shop.shown(str(order)) for order in orders]

    await shop.system.supervisor.stop(DOWN)
    try:
        assert "2 orders of one customer" in await erase(shop, orders[0])
        await shop.until(
            "reports of the other services", lambda: reported(shop, orders, {*SERVICES} - {DOWN})
        )
        assert await no_trace(shop, of_others=True) == []
        assert any(one.startswith(f"{DOWN}:") for one in await tables_with_traces(shop.system.databases))
    finally:
        await shop.system.start(DOWN)
    await shop.until("reports of all services", lambda: reported(shop, orders, set(SERVICES)))
    assert await no_trace(shop) == []
    with pytest.raises(MailRefused, match="550"):
        await deliver(shop.system.inbound_port, MAIL, an_answer((await shop.mails_to(MAIL))[0]))

    assert await fetch(shop, "payments", BOOKS, orders) == books
    for before in shown:
        after = await shop.shown(before["order_id"])
        same = (
            "code",
            "state",
            "payment_status",
            "fulfilment_status",
            "balance_minor",
            "totals",
            "lines",
            "ledger",
        )
        assert {name: after[name] for name in same} == {name: before[name] for name in same}
    for service in SERVICES:
        rows = await fetch(
            shop,
            service,
            "SELECT type, convert_from(body, 'UTF8') AS body FROM msg.event_log WHERE subject = ANY($1)",
            [str(order) for order in orders],
        )
        assert list(unreadable_messages(rows, CATALOGUE)) == []

    await late_messages(shop, sale)
    assert await no_trace(shop) == []
    outside = frozenset({shop.mail_folder, shop.system.mail_journal})
    assert files_with_traces(shop.system, outside) == []


async def late_messages(shop: Shop, sale: Sale) -> None:
    """Submit the sale again, as the same message and as another one, and post the provider's webhooks again."""
    await shop.submit(sale, Sale(uuid7(), sale.submission))
    assert await shop.post_webhook(payment_succeeded(sale, Random(secrets.randbits(64)))) == 200
    await shop.until("no unread webhook", lambda: all_read(shop))


async def all_read(shop: Shop) -> bool | None:
    rows = await fetch(shop, "payments", "SELECT FROM webhook WHERE state = 'received'")
    return None if rows else True
