"""Received mails without a conversation: filed under an order, set aside, shown without what they would run."""

import json
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.notifier.conversation import FileMail
from services.orders.backoffice.access.permissions import Role
from services.orders.backoffice.conversation.original import header_text, original
from services.orders.backoffice.language.translating import PageLocale, using_locale
from services.orders.order.search.indexing import index_due
from services.orders.order.unit.announcements import announcements
from tests.backoffice.browser import SHOP as OTHER_SHOP
from tests.backoffice.conversation.mail_system import MailSystem
from tests.notifier.builders import SHOP

pytestmark = pytest.mark.rows("B17", "C23")
MAILS = "/conversation/mails"
HOSTILE = b"""From: =?UTF-8?Q?=0AMy_self?= <zoe@client.example>
Subject: =?UTF-8?B?w6k=?= <b>
MIME-Version: 1.0
Content-Type: text/html; charset=x-foo

<p onclick="x()">Bonjour</p><script>alert(1)</script><img src="https://tracker.example/x.png">
<form action="https://evil.example"><input name=a></form><a href="javascript:alert(1)">ici</a>
<style>p{background:url(https://tracker.example)}</style>
"""


async def test_a_mail_is_filed_with_one_click_under_an_order_of_its_sender(mail_system: MailSystem) -> None:
    order = await mail_system.order(customer={"name": "Zoé Lefèvre", "email": "Zoe@Client.example"})
    await index_due(mail_system.backoffice.desk.hub)
    mail = await mail_system.receives(HOSTILE)
    browser = await mail_system.signed_in(Role.FULFILMENT)
    page = await browser.get(MAILS)
    assert "Ma commande" in page.words
    assert "zoe@client.example" in page.words
    assert f"File under {order.code}" in page.words
    key = str(uuid4())
    filed = await mail_system.carry_out(
        browser.post(f"{MAILS}/{mail}/file", {"key": key, "order": order.code})
    )
    assert (filed.status, filed.headers["location"]) == (303, f"/orders/{order.code}/conversation")
    row = (await mail_system.notifier.fetch("SELECT order_id, filed_by FROM inbound_mail"))[0]
    assert row["order_id"] == order.order_id
    assert "Nothing to file" in (await browser.get(MAILS)).words
    assert "Ma commande" in (await browser.get(f"{MAILS}?show=filed")).words


async def test_the_thread_where_a_mail_waits_and_the_one_where_it_is_filed_are_announced(
    mail_system: MailSystem,
) -> None:
    order, other = await mail_system.order(), await mail_system.order()
    announcements.take()
    waiting = [
        await mail_system.receives(b"From: x@y.example\n\nOui", order_id=order.order_id) for _ in range(2)
    ]
    assert announced() == {order.order_id, *waiting}
    await mail_system.do(
        FileMail(shop=SHOP, inbound_id=waiting[0], order_id=other.order_id, actor="lea"),
    )
    assert announced() == {order.order_id, other.order_id, waiting[0]}
    await mail_system.do(FileMail(shop=SHOP, inbound_id=waiting[1], reason="Publicité", actor="lea"))
    assert announced() == {order.order_id, waiting[1]}
    mail = await mail_system.receives(b"From: x@y.example\n\nBonjour")
    assert announced() == {mail}


def announced() -> set[UUID]:
    """What open pages of the shop are to fetch again since the last call."""
    payloads = [json.loads(one) for one in announcements.take()]
    return {UUID(one) for payload in payloads for one in payload[SHOP]}


async def test_a_mail_is_set_aside_with_a_reason_and_stays_readable(mail_system: MailSystem) -> None:
    mail = await mail_system.receives(b"From: x@y.example\nSubject: Publicite\n\nAchetez")
    browser = await mail_system.signed_in()
    path = f"{MAILS}/{mail}"
    refused = await browser.post(f"{path}/set-aside", {"key": str(uuid4()), "reason": " "})
    assert (refused.status, "Give a reason" in refused.words) == (422, True)
    fields = {"key": str(uuid4()), "reason": "Publicité"}
    done = await mail_system.carry_out(browser.post(f"{path}/set-aside", fields))
    assert (done.status, done.headers["location"]) == (303, MAILS)
    assert "Publicité" in (await browser.get(path)).words
    assert "Achetez" in (await browser.get(f"{path}/original")).text


async def test_a_code_that_is_none_comes_back(mail_system: MailSystem) -> None:
    mail = await mail_system.receives(b"From: x@y.example\n\nBonjour")
    browser = await mail_system.signed_in()
    refused = await browser.post(f"{MAILS}/{mail}/file", {"key": str(uuid4()), "order": "nowhere <b>"})
    assert refused.status == 422
    assert "There is no order with this code." in refused.words
    assert await mail_system.backoffice.desk.fetchval("select count(*) from command") == 0


async def test_a_mail_is_filed_once(mail_system: MailSystem) -> None:
    order, mail = await mail_system.order(), await mail_system.receives(b"From: x@y.example\n\nBonjour")
    browser = await mail_system.signed_in()
    path = f"{MAILS}/{mail}"
    await mail_system.carry_out(browser.post(f"{path}/file", {"key": str(uuid4()), "order": order.code}))
    late = await mail_system.carry_out(
        browser.post(f"{path}/set-aside", {"key": str(uuid4()), "reason": "trop tard"})
    )
    assert late.status == 422
    assert "Somebody has already filed this mail or set it aside." in late.words


async def test_an_unreadable_mail_can_be_read(mail_system: MailSystem) -> None:
    mail = await mail_system.receives(b"\xff\xfe not a mail", outcome="parked", subject=None, sender=None)
    browser = await mail_system.signed_in()
    assert "(no subject)" in (await browser.get(f"{MAILS}?show=parked")).words
    assert "not a mail" in (await browser.get(f"{MAILS}/{mail}/original")).text
    raw = await browser.get(f"{MAILS}/{mail}/raw")
    assert raw.response.content == b"\xff\xfe not a mail"
    assert raw.headers["content-disposition"].startswith("attachment")


async def test_the_original_runs_and_loads_nothing(mail_system: MailSystem) -> None:
    mail = await mail_system.receives(HOSTILE)
    shown = await (await mail_system.signed_in()).get(f"{MAILS}/{mail}/original")
    assert "sandbox" in shown.headers["content-security-policy"]
    assert "Bonjour" in shown.text
    for danger in ("<script", "<img", "tracker.example", "onclick", "javascript:", "<form", "evil.example"):
        assert danger not in shown.text


async def test_attachments_are_downloads_only(mail_system: MailSystem) -> None:
    mail = await mail_system.receives(HOSTILE)
    attachment = uuid4()
    await mail_system.notifier.hub.pool.execute(
        """INSERT INTO attachment (attachment_id, inbound_id, number, shop, name, type, size, state, content,
                   sha256)
           SELECT $1, $2, 1, shop, 'facture.pdf', 'text/html', 25, 'kept', $3, sha256($3) FROM inbound_mail""",
        attachment,
        mail,
        b"<script>alert(1)</script>",
    )
    browser = await mail_system.signed_in()
    assert "facture.pdf" in (await browser.get(f"{MAILS}/{mail}")).words
    got = await browser.get(f"/conversation/attachments/{attachment}")
    assert got.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in got.headers["content-security-policy"]
    assert got.headers["x-content-type-options"] == "nosniff"
    stranger = await mail_system.backoffice.signed_in(Role.OWNER, OTHER_SHOP)
    for path in (f"/conversation/attachments/{attachment}", f"{MAILS}/{mail}", f"{MAILS}/{mail}/raw"):
        assert (await stranger.get(path)).status == 404, path


async def test_only_who_writes_may_file(mail_system: MailSystem) -> None:
    mail = await mail_system.receives(HOSTILE)
    accountant = await mail_system.signed_in(Role.ACCOUNTANT)
    assert (await accountant.get(MAILS)).status == 403
    assert (await accountant.post(f"{MAILS}/{mail}/file", {"key": str(uuid4()), "order": "x"})).status == 403
    assert (await (await mail_system.signed_in()).get(f"{MAILS}/{UUID(int=1)}")).status == 404


@given(st.binary(max_size=400))
def test_any_bytes_can_be_shown(raw: bytes) -> None:
    with using_locale(PageLocale("en")):
        assert original(raw).startswith("<!doctype html>")


@given(st.text(max_size=120))
def test_any_field_can_be_read_on_one_line(value: str) -> None:
    assert "\n" not in header_text(value)


def test_a_mail_of_a_thousand_parts_within_each_other_is_shown() -> None:
    raw = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (depth, depth) for depth in range(1000)
    )
    with using_locale(PageLocale("en")):
        assert original(raw).startswith("<!doctype html>")
