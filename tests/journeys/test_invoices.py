"""Invoices: a paid order's invoice arrives by mail as a PDF, and after a refund its credit note."""

import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path
from typing import Any

import aio_pika
import asyncpg
import facturx
import pypdf
import pytest
import pytest_asyncio

from contracts.catalogue import SERVICES, type_of
from contracts.envelope import Envelope, uuid7, uuid7_time
from contracts.payments.invoices import ChangeInvoicing, IssueAt
from deploy.local.parts import Postgres, RabbitMQ
from deploy.local.ports import free_ports
from deploy.local.spawning import Launcher
from deploy.local.system import System
from tests.journeys.sales import NOTEBOOK, PLENTY, a_sale, notebooks
from tests.journeys.shop import Shop
from tests.lives.living import QUICK, SETUP
from tests.payments.invoices.sales import settings

pytestmark = pytest.mark.rows("A06", "A30", "A32", "C14")


@pytest_asyncio.fixture
async def invoicing_shop(parts_folder: Path, postgres: Postgres, rabbitmq: RabbitMQ) -> AsyncIterator[Shop]:
    """Yield a separate shop that issues invoices once an order is paid."""
    async with invoicing_shop_in(
        parts_folder / f"invoices-{secrets.token_hex(4)}", postgres, rabbitmq
    ) as opened:
        yield opened
        assert await opened.violations() == []


@asynccontextmanager
async def invoicing_shop_in(
    folder: Path, postgres: Postgres, rabbitmq: RabbitMQ, launcher: Launcher | None = None
) -> AsyncIterator[Shop]:
    """Open a shop with invoices on a system of its own in a folder."""
    mail_folder, (port,) = folder / "mails", free_ports(1)
    mail_folder.mkdir(parents=True)
    mailbox = [sys.executable, "-m", "tests.journeys.mailbox", "--port", str(port)]
    system = System(
        folder,
        postgres,
        rabbitmq,
        [SETUP],
        overrides=dict.fromkeys(SERVICES, QUICK),
        mail_argv=[*mailbox, "--journal", folder / "mails.jsonl", "--folder", mail_folder],
        smtp_port=port,
        launcher=launcher,
    )
    async with system, Shop(system, mail_folder) as opened:
        await opened.count_stock({NOTEBOOK: PLENTY})
        await switch_on(system, opened.name)
        yield opened


async def switch_on(system: System, shop: str, version: int = 0, **changes: Any) -> None:
    """Publish the command that switches a shop's invoices on, as orders does."""
    command = ChangeInvoicing(shop=shop, settings=settings(**changes), version=version, actor="staff:maelle")
    identifier = uuid7()
    envelope = Envelope(
        id=identifier,
        source="/orders",
        type=type_of(ChangeInvoicing, "orders"),
        time=uuid7_time(identifier),
        shop=shop,
    )
    async with await aio_pika.connect(system.amqp_url("orders")) as connection:
        channel = await connection.channel(on_return_raises=True)
        exchange = await channel.get_exchange("orders", ensure=False)
        message = aio_pika.Message(
            command.model_dump_json().encode(), headers=dict(envelope.headers()), user_id="orders"
        )
        await exchange.publish(message, envelope.type)


def _pdf(letter: EmailMessage) -> bytes:
    (attached,) = letter.iter_attachments()
    content = attached.get_content()
    assert isinstance(content, bytes)
    return content


def _words(pdf: bytes) -> str:
    return " ".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(pdf)).pages)


@pytest.mark.timeout(300)
async def test_a_paid_order_is_invoiced_by_mail_and_a_refund_credited(invoicing_shop: Shop) -> None:
    shop = invoicing_shop
    async with shop.client("payments") as http:

        async def is_on() -> bool:
            answer = await http.get("/internal/invoicing", params={"shop": shop.name})
            return bool(answer.json()["version"] == 1)

        await shop.until("invoicing switched on", is_on)
    sale = a_sale(notebooks(2))
    [order] = await shop.order(sale)
    await shop.report(sale)
    recipient = sale.submission.customer.email or ""
    [letter] = await shop.mails_to(recipient, "Facture")
    name, xml = facturx.get_facturx_xml_from_pdf(_pdf(letter), check_xsd=True)
    assert name == "factur-x.xml"
    assert b"<ram:GrandTotalAmount>25.00</ram:GrandTotalAmount>" in xml
    assert "Carnet cousu A5" in _words(_pdf(letter))

    refund = {"mode": "recorded", "amount_minor": 1250, "currency": "EUR", "reason": "Carnet abîmé"}
    await shop.do(f"/orders/{order}/refunds", refund)
    [credited] = await shop.mails_to(recipient, "Avoir")
    assert "Carnet abîmé" in _words(_pdf(credited))
    _, xml = facturx.get_facturx_xml_from_pdf(_pdf(credited), check_xsd=True)
    assert b"<ram:TypeCode>381</ram:TypeCode>" in xml


@pytest.mark.timeout(300)
async def test_an_invoice_issued_at_placement_comes_with_the_recap(invoicing_shop: Shop) -> None:
    shop = invoicing_shop
    await _until_known(shop, at_placement=False)
    await switch_on(shop.system, shop.name, version=1, issue_at=IssueAt.PLACEMENT)
    await _until_known(shop, at_placement=True)
    sale = a_sale(notebooks(2))
    await shop.order(sale)
    [letter] = await shop.mails_to(sale.recipient)
    assert "Votre commande" in str(letter["Subject"])
    assert "Carnet cousu A5" in _words(_pdf(letter))
    await shop.report(sale)
    other = a_sale(notebooks(1))
    await shop.order(other)
    await shop.mails_to(other.recipient)
    assert len(shop.mails_now(sale.recipient)) == 1, "recap and invoice are one mail"


async def _until_known(shop: Shop, *, at_placement: bool) -> None:
    """Wait until the notifier knows when the shop's invoices are issued."""

    async def known() -> bool:
        connection = await asyncpg.connect(shop.system.databases["notifier"])
        try:
            found = await connection.fetchval(
                "SELECT mails_at_placement FROM shop_invoicing WHERE shop = $1", shop.name
            )
        finally:
            await connection.close()
        return found is at_placement

    await shop.until(f"invoicing of {shop.name}", known)
