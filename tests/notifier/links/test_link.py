"""Links to customers' pages: the same for the same mail, unguessable, readable in any case, and long enough."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from contracts.notifier.mails import ResendMail
from services.chassis.testing import Desk
from services.notifier.links.link import expires_at, hash_of, key_of, token_of
from services.notifier.mails.mail import TO_MERCHANT, Template
from tests.conftest import Desks
from tests.notifier.builders import SHOP, a_shipment, a_status, an_edit, an_order
from tests.notifier.made_up_mails import a_mail, html_of, read, text_of
from tests.notifier.mail_server import MailServer
from tests.notifier.sending.test_sending import a_desk, send_until, settled

KEY = key_of("a-token-of-the-tests")
PAGE = "https://commande.example"
MADE = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)


def test_a_mail_has_one_token_for_each_address() -> None:
    mail = uuid4()
    token = token_of(KEY, mail, "zoe@clients.example")
    assert token == token_of(KEY, mail, "zoe@clients.example")
    assert len(token) == 26
    assert token.isalnum()
    assert token == token.lower()
    others = {
        token_of(KEY, mail, "zoe@new.example"),
        token_of(KEY, uuid4(), "zoe@clients.example"),
        token_of(key_of("another-token-of-the-tests"), mail, "zoe@clients.example"),
    }
    assert len(others | {token}) == 4


def test_a_token_in_capitals_is_the_same_token() -> None:
    token = token_of(KEY, uuid4(), "zoe@clients.example")
    assert hash_of(token) == hash_of(token.upper()) is not None


@given(st.text(max_size=60))
def test_any_text_is_a_token_or_none(text: str) -> None:
    assert hash_of(text) is None or len(text) >= 26


@given(
    st.timedeltas(timedelta(0), timedelta(9000)).map(lambda past: MADE - past),
    st.none() | st.timedeltas(timedelta(0), timedelta(400)),
)
def test_a_link_opens_90_days_and_30_days_after_the_last_event(
    made: datetime, later: timedelta | None
) -> None:
    last = made + later if later is not None else None
    end = expires_at(made, last)
    assert end >= made + timedelta(days=90)
    assert last is None or end >= last + timedelta(days=30)
    assert end in (made + timedelta(days=90), last and last + timedelta(days=30))


def test_every_mail_to_the_customer_has_the_link_in_both_its_forms() -> None:
    link = f"{PAGE}/c/{'a' * 26}"
    for template in Template:
        order = an_order()
        shipment, status = a_shipment(order.order_id), a_status(order.order_id)
        shown = template not in TO_MERCHANT
        letter = a_mail(template, order, shipment, status=status, page_url=link if shown else None)
        message = read(letter)
        assert (link in text_of(message), f'href="{link}"' in html_of(message)) == (shown, shown), template


async def _links(desk: Desk) -> list[tuple[bytes, str]]:
    rows = await desk.fetch("SELECT token_hash, recipient FROM page_link ORDER BY recipient")
    return [tuple(row) for row in rows]


async def test_only_the_hash_of_a_sent_link_is_stored(desks: Desks, mail_server: MailServer) -> None:
    desk, sender = await a_desk(desks, mail_server, page_url=PAGE)
    await desk.deliver(an_order())
    await send_until(desk, sender, settled)
    (recap,) = [mail for mail in mail_server.journal if "zoe" in mail["To"]]
    text = recap.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    token = text.split(f"{PAGE}/c/")[1].split()[0]
    assert await _links(desk) == [(hash_of(token), "zoe@clients.example")]
    for table in ("mail", "page_link", "addressee", "msg.effect"):
        assert not await desk.fetchval(f"SELECT count(*) FROM {table} AS t WHERE t::text LIKE '%{token}%'")  # noqa: S608


async def test_without_a_page_mails_have_no_link(desks: Desks, mail_server: MailServer) -> None:
    desk, sender = await a_desk(desks, mail_server)
    await desk.deliver(an_order())
    await send_until(desk, sender, settled)
    assert await _links(desk) == []
    assert all(b"/c/" not in mail.as_bytes() for mail in mail_server.journal)


async def test_a_mail_sent_again_to_a_new_address_has_another_link(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, sender = await a_desk(desks, mail_server, page_url=PAGE)
    order = an_order()
    await desk.deliver(order)
    await send_until(desk, sender, settled)
    await desk.deliver(an_edit(order))
    recap = await desk.fetchval("SELECT id FROM mail WHERE template = 'order_recap'")
    for _ in range(2):
        await desk.deliver(ResendMail(shop=SHOP, mail_id=recap, actor="lea"))
        await send_until(desk, sender, settled)
    sent = [mail.as_bytes() for mail in mail_server.journal if "zoe" in mail["To"]][-2:]
    assert sent[0] == sent[1]
    assert len({hashed for hashed, _ in await _links(desk)}) == 2
