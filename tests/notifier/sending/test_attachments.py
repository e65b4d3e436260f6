"""Mails with an invoice carry its PDF, fetched from payments; they wait while payments has it not."""

import asyncio
from collections import deque
from datetime import UTC, date, datetime
from typing import Any

import pytest

from contracts.envelope import uuid7
from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.invoices import CreditNoteIssued, InvoiceIssued, InvoiceTotals
from services.chassis.testing import wait_until
from services.notifier.sending.attachments import AT_ONCE
from tests.conftest import Desks
from tests.notifier.builders import an_order
from tests.notifier.mail_server import MailServer
from tests.notifier.sending.test_sending import a_desk, by_state, send_until, settled

pytestmark = pytest.mark.rows("A06", "A30")
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 40


class Payments:
    """What payments answers on its route for PDFs, over real HTTP: the statuses given, then the PDF."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = deque(statuses)
        self.requests: list[str] = []
        self.url = ""
        self.answers = asyncio.Event()
        self.answers.set()

    async def __aenter__(self) -> "Payments":
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.requests.append(head)
        await self.answers.wait()
        status = self.statuses.popleft() if self.statuses else 200
        body = PDF if status == 200 else b"{}"
        writer.write(
            b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (status, len(body)) + body
        )
        await writer.drain()
        writer.close()


def issued(order: OrderPlaced, **changes: Any) -> InvoiceIssued:
    values: dict[str, Any] = {
        "shop": order.shop,
        "order_id": order.order_id,
        "code": order.code,
        "invoice_id": uuid7(),
        "number": "F2026-00042",
        "issued_on": date(2026, 11, 29),
        "issued_at": datetime(2026, 11, 29, 9, tzinfo=UTC),
        "currency": "EUR",
        "totals": InvoiceTotals(net_minor=10_000, tax_minor=2000, total_minor=12_000),
        "locale": "fr",
        "mails_customer": True,
        **changes,
    }
    return InvoiceIssued(**values)


async def test_an_invoice_is_mailed_once_with_its_pdf(desks: Desks, mail_server: MailServer) -> None:
    async with Payments(503) as payments:
        desk, sender = await a_desk(desks, mail_server, payments_url=payments.url)
        order = an_order()
        await desk.deliver(order)
        invoice = issued(order)
        await desk.deliver(invoice)
        await desk.deliver(invoice)
        assert await send_until(desk, sender, settled) == {"done": 3}
    (mail,) = [one for one in mail_server.journal if "F2026-00042" in str(one["Subject"])]
    (attached,) = mail.iter_attachments()
    assert (attached.get_filename(), attached.get_content_type()) == ("F2026-00042.pdf", "application/pdf")
    assert attached.get_content() == PDF
    body = mail.get_body(("plain",))
    assert body is not None
    assert "Votre facture F2026-00042 de 120,00" in body.get_content()
    assert len(payments.requests) == 2
    assert f"/internal/invoices/{order.shop}/{invoice.invoice_id}/pdf" in payments.requests[0]
    assert "Authorization: Bearer a-token-for-tests-only" in payments.requests[0]


@pytest.mark.parametrize("status", [404, 409])
async def test_a_document_that_payments_does_not_have_or_can_not_draw_fails_its_mail(
    desks: Desks, mail_server: MailServer, status: int
) -> None:
    async with Payments(status) as payments:
        desk, sender = await a_desk(desks, mail_server, payments_url=payments.url)
        order = an_order()
        await desk.deliver(order)
        note = CreditNoteIssued(**issued(order).model_dump(), corrects="F2026-00041")
        await desk.deliver(note)
        assert await send_until(desk, sender, settled) == {"done": 2, "failed": 1}


async def test_mails_without_a_pdf_do_not_queue_behind_those_that_wait_for_one(
    desks: Desks, mail_server: MailServer
) -> None:
    async with Payments() as payments:
        payments.answers.clear()
        desk, sender = await a_desk(desks, mail_server, payments_url=payments.url)
        order = an_order()
        await desk.deliver(order)
        await desk.hub.pool.execute("UPDATE msg.effect SET next_at = now()")
        for _ in range(20):
            await desk.deliver(issued(order))
        await desk.hub.pool.execute(
            "UPDATE msg.effect SET next_at = now() - interval '1 hour' WHERE payload ->> 'template' LIKE '%invoice%'"
        )
        running = asyncio.create_task(sender.effects.run(desk.hub))
        await wait_until(lambda: len(mail_server.journal) >= 2, 6)
        assert 0 < len(payments.requests) <= AT_ONCE
        payments.answers.set()
        await running


async def test_no_mail_where_the_shop_wants_none(desks: Desks, mail_server: MailServer) -> None:
    desk, _ = await a_desk(desks, mail_server)
    order = an_order()
    await desk.deliver(order)
    await desk.deliver(issued(order, mails_customer=False))
    assert await by_state(desk) == {"planned": 2}
