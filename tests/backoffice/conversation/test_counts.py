"""Every number is that of a list: what home and the tabs count is in the list that their link opens."""

import re
from datetime import UTC, datetime
from html import unescape
from uuid import UUID

import pytest

from contracts.notifier.conversation import InboundOutcome
from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.accounts import PaymentUnmatched
from services.orders.backoffice.access.permissions import Role
from tests.backoffice.browser import Browser, Shown
from tests.backoffice.conversation.mail_system import MailSystem
from tests.notifier.builders import SHOP
from tests.notifier.conversation.builders import a_change, a_filing, a_message
from tests.orders.rest_client import sale

pytestmark = pytest.mark.rows("B17", "C23")
_TILE = re.compile(r'<a href="([^"]+)"><strong>([\d,]+)</strong><span>([^<]+)')
_TAB = re.compile(r'<a href="([^"]+)"[^>]*>([^<]+)<span class="count">([\d,]+)</span>')


async def test_every_number_of_home_and_of_the_inbox_is_that_of_the_list_it_opens(
    mail_system: MailSystem,
) -> None:
    browser = await mail_system.signed_in()
    await work_of_all_kinds(mail_system)
    home = await browser.get("/")
    tiles = {unescape(href): int(count) for href, count, _ in _TILE.findall(home.text)}
    for href in ("/conversation", "/conversation/mails", "/payments/unmatched", "/refused-sales"):
        assert tiles[href] > 0, href
    assert {state for href in tiles if (state := href.partition("/mails?state=")[2])} == {"failed", "bounced"}
    assert sum(href.startswith("/orders?tab=") for href in tiles) == 6
    counted = {href: await listed(browser, href) for href in tiles}
    assert counted == tiles
    tabs = [
        (unescape(href), int(count))
        for href, _, count in _TAB.findall((await browser.get("/conversation")).text)
    ]
    assert len(tabs) == 6, "each tab has its number, also zero"
    assert {href: await listed(browser, href) for href, _ in tabs} == dict(tabs)
    assert dict(tabs)["/conversation?tab=mine"] == 1


@pytest.mark.parametrize(
    ("path", "part"),
    [("/", "home-now"), ("/conversation", "inbox"), ("/conversation/mails", "mails-now")],
)
async def test_the_menu_shows_the_same_number_as_the_tabs_and_tiles_of_its_page(
    mail_system: MailSystem, path: str, part: str
) -> None:
    browser = await mail_system.signed_in()
    for count in (1, 2):
        await mail_system.receives(b"From: x@y.example\n\nBonjour")
        assert menu_number((await browser.get(path)).text) == count, "also right after another number"
        assert menu_number((await browser.get("/orders")).text) == count
    await mail_system.receives(b"From: x@y.example\n\nBonjour")
    now = f"{path.rstrip('/')}/now" if path != "/" else "/home/now"
    again = await browser.get(now, hx_request="true", hx_request_type="partial", hx_target=f"div#{part}")
    assert "<html" not in again.text
    assert re.search(r"<hx-partial[^>]*hx-get='/conversation/count'[^>]*>", again.text)
    assert menu_number(again.text) == 3


def menu_number(text: str) -> int:
    """The number beside the menu's entry."""
    [found] = re.findall(
        r'/conversation/count[^>]*>\s*<span class="count"><span class="hidden">, </span>(\d+)', text
    )
    return int(found)


async def listed(browser: Browser, href: str) -> int:
    """The rows of a list."""
    shown: Shown = await browser.get(href)
    assert shown.status == 200, href
    return len(re.findall(r"<(?:tr|li)\b[^>]*\bdata-row\b", shown.text))


async def work_of_all_kinds(mail_system: MailSystem) -> None:
    """Something of every kind that is counted, and beside each what must not be."""
    for state in ("mine", "closed and mine", "closed", "answered", "new"):
        await a_thread(mail_system, state)
    for outcome in InboundOutcome:
        for is_done in (False, True):
            mail = await mail_system.receives(
                f"From: x@y.example\r\n\r\n{outcome}{is_done}".encode(), outcome
            )
            if is_done and outcome in ("to_file", "parked"):
                await mail_system.do(a_filing(mail, reason="Publicité"))
    await mails_with_problems(mail_system)
    totals = {"lines_minor": 7900, "shipping_minor": 500, "total_minor": 8401}
    await mail_system.backoffice.desk.deliver(sale(SHOP, totals=totals))
    payment = PaymentUnmatched(
        shop=SHOP,
        provider="stripe",
        provider_reference="pi_1",
        amount_minor=700,
        currency="EUR",
        received_at=datetime.now(UTC),
        reason="order_unknown",
    )
    await mail_system.backoffice.desk.deliver(payment)


async def a_thread(mail_system: MailSystem, state: str) -> OrderPlaced:
    order = await mail_system.order()
    await mail_system.customer_writes(order, "Bonjour")
    if "mine" in state:
        login = await mail_system.backoffice.desk.fetchval("select login from staff order by login limit 1")
        await mail_system.do(a_change(order.order_id, "assign", assignee=login))
    if "closed" in state:
        await mail_system.do(a_change(order.order_id, "close"))
    if state == "answered":
        await mail_system.do(a_message(order.order_id))
    return order


async def mails_with_problems(mail_system: MailSystem) -> None:
    """Two mails that failed, one that came back, one that was sent: as the notifier has them, and orders' copy."""
    rows = await mail_system.notifier.fetch(
        "SELECT id, order_id, template, recipient, cause_id FROM mail ORDER BY id LIMIT 4"
    )
    for row, state in zip(rows, ("failed", "failed", "bounced", "sent"), strict=True):
        await note_end(mail_system, row["id"], state)
        await mail_system.backoffice.desk.hub.pool.execute(
            """insert into mail (shop, mail_id, order_id, template, recipient, cause_id, state, at)
               values ($1, $2, $3, $4, $5, $6, $7, now())""",
            *(SHOP, row["id"], row["order_id"], row["template"], row["recipient"], row["cause_id"], state),
        )


async def note_end(mail_system: MailSystem, mail_id: UUID, state: str) -> None:
    done = "done" if state in ("sent", "bounced") else state
    await mail_system.notifier.hub.pool.execute(
        "UPDATE msg.effect SET state = $2 WHERE key = $1::text", str(mail_id), done
    )
    if state == "bounced":
        await mail_system.notifier.hub.pool.execute(
            "INSERT INTO mail_end (mail_id, state, kind, at) VALUES ($1, 'bounced', 'address', now())",
            mail_id,
        )


async def test_a_mail_that_could_not_be_read_is_in_the_list_and_in_its_orders_thread(
    mail_system: MailSystem,
) -> None:
    order = await mail_system.order()
    mail = await mail_system.receives(
        b"\xff\xfe",
        "parked",
        subject=None,
        sender=None,
        order_id=order.order_id,
        envelope_from="zoe@client.example",
    )
    other = await mail_system.receives(b"From: x@y.example\r\n\r\nOui", "to_file", order_id=order.order_id)
    browser = await mail_system.signed_in(Role.FULFILMENT)
    listed_mails = await browser.get("/conversation/mails")
    for one in (mail, other):
        assert f'href="/conversation/mails/{one}"' in listed_mails.text
    assert "Unreadable" in listed_mails.words
    assert f"File under {order.code}" in listed_mails.words
    thread = await browser.get(f"/orders/{order.code}/conversation")
    assert "This mail could not be read automatically. It is kept as received." in thread.words
    assert "This mail is not part of the conversation until somebody files it." in thread.words
    assert "zoe@client.example" in thread.words
    for one in (mail, other):
        assert f'href="/conversation/mails/{one}"' in thread.text
    assert "No messages yet" not in thread.words
    await mail_system.do(a_filing(mail, order_id=order.order_id))
    assert str(mail) not in (await browser.get("/conversation/mails")).text
