"""Mails that nest, repeat or swell until a parser gives up: what is within the bounds is posted, with a note."""

from email import message_from_bytes
from email.message import EmailMessage, Message

import pytest

from services.chassis.received_mime import MOST_PARTS, parse_mime
from services.notifier.conversation.parsing.html_text import text_of_html
from services.notifier.conversation.parsing.parsed import parse
from services.notifier.sending.bounces.reports import read_reports
from tests.conftest import Desks
from tests.notifier.conversation.builders import reply_address
from tests.notifier.conversation.receiving import a_receiver, a_receiving_desk, hand_over, read_all
from tests.notifier.conversation.test_receiving import an_open_thread, ends
from tests.notifier.test_api import a_client

pytestmark = [pytest.mark.rows("B17"), pytest.mark.timeout(120)]
FROM = b"From: zoe@clients.example\r\n"


def nested(kind: str, levels: int = 300) -> bytes:
    """A mail with a text at each level."""
    begin = "Content-Type: multipart/{kind}; boundary=b{n}\r\n\r\n--b{n}\r\n\r\nTexte {n}\r\n--b{n}\r\n"
    heads = (begin.format(kind=kind, n=level).encode() for level in range(levels))
    return FROM + b"".join(heads) + b"\r\nle dernier"


def parts(part: bytes, number: int = 10_000) -> bytes:
    return FROM + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part * number


HOSTILE = {
    "mixed in mixed": (nested("mixed"), "Texte 0", False),
    "alternative in alternative": (nested("alternative"), "Texte 0", False),
    "related in related": (nested("related"), "Texte 0", False),
    "messages in messages": (FROM + b"Content-Type: message/rfc822\r\n\r\n" * 300 + b"x", "", True),
    "one boundary": (FROM + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" * 300, "", False),
    "ten thousand parts": (parts(b"--b\r\n\r\nOui\r\n"), "Oui", False),
    "a large field": (FROM + b"Subject: " + b"x" * 1_000_000 + b"\r\n\r\nOui", "Oui", False),
    "a large header": (FROM + b"X: y\r\n" * 200_000 + b"\r\nOui", "Oui", False),
    "a large parameter": (
        FROM + b'Content-Type: text/plain; a="' + b";" * 1_000_000 + b'"\r\n\r\nOui',
        "Oui",
        False,
    ),
    "comments in comments": (b"From: " + b"(" * 3000 + b" <zoe@clients.example>\r\n\r\nOui", "Oui", True),
    "deep HTML": (
        FROM + b"Content-Type: text/html\r\n\r\n<p>Oui</p>" + b"<div>" * 200_000 + b"non",
        "Oui",
        False,
    ),
    "no part": (FROM + b"Content-Type: multipart/mixed; boundary=b\r\n\r\nOui", "Oui", True),
}
"""What comes, the beginning of what is read, and whether that is all."""


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_mail_is_read_as_far_as_it_can_be(name: str) -> None:
    raw, text, is_whole = HOSTILE[name]
    mail = parse(raw, "zoe@clients.example")
    assert (mail.sender, mail.is_whole) == ("zoe@clients.example", is_whole)
    assert mail.text.startswith(text)
    assert bool(mail.text) == bool(text)
    assert "le dernier" not in mail.text
    assert len(mail.files) < MOST_PARTS
    assert read_reports(raw) == []


def test_a_mail_within_the_bounds_has_the_parts_that_the_library_finds() -> None:
    inner = EmailMessage()
    inner["Subject"] = "Transféré"
    inner.set_content("Bonjour")
    mail = EmailMessage()
    mail["From"] = "Zoé <zoe@clients.example>"
    mail.set_content("Été à Lyon\n\n-- \nZoé")
    mail.add_alternative("<p>Été</p>", subtype="html")
    mail.add_attachment(b"\0\xff" * 50, maintype="image", subtype="png", filename="été.png")
    mail.add_attachment(inner)
    for raw in (mail.as_bytes(), mail.as_bytes().replace(b"\n", b"\r\n")):
        mime = parse_mime(raw)
        assert mime.is_whole
        assert leaves(mime.message)[:-1] == leaves(message_from_bytes(raw))[:3]
        forwarded = parse(raw, "zoe@clients.example").files[-1]
        assert forwarded.content is not None
        assert b"Bonjour" in forwarded.content


def leaves(mail: Message) -> list[tuple[str, object]]:
    return [
        (part.get_content_type(), part.get_payload(decode=True))
        for part in mail.walk()
        if not part.is_multipart()
    ]


def test_a_picture_in_an_address_does_not_use_up_the_bound_of_html() -> None:
    html = f'<p>Avant</p><img src="data:image/png;base64,{"A" * 2_000_000}"><p>Après</p>'
    mail = parse(FROM + b"Content-Type: text/html; charset=utf-8\r\n\r\n" + html.encode(), "a@b.example")
    assert mail.is_whole
    assert mail.text == text_of_html("<p>Avant</p><p>Après</p>")


async def test_hostile_mails_are_posted_and_what_was_not_read_is_reported(desks: Desks) -> None:
    desk = await a_receiving_desk(desks)
    order = await an_open_thread(desk)
    raws = [HOSTILE[name] for name in ("mixed in mixed", "messages in messages", "deep HTML")]
    async with a_receiver(desk) as port:
        for raw, _, _ in raws:
            assert await hand_over(port, raw, reply_address(order)) == [250, 250]
        await read_all(desk)
    assert await ends(desk) == [("posted", None)] * 3
    assert await desk.fetchval("SELECT max(attempts) FROM msg.effect WHERE kind = 'inbound'") <= 1
    async with a_client(desk) as client:
        thread = (await client.get(f"/internal/threads/{order.shop}/{order.order_id}")).json()
    assert thread["waiting"] == []
    read = [one for one in thread["messages"] if one["via"] == "mail"]
    assert sorted(one["is_whole"] for one in read) == [False, False, True]
    assert any(one["attachments"] for one in read)
    rows = await desk.fetch("SELECT id FROM mail WHERE template = 'message_received' ORDER BY id")
    async with a_client(desk) as client:
        texts = [(await client.get(f"/internal/mails/{row['id']}")).json()["text"] for row in rows]
    assert ["(sans texte ; ses pièces jointes" in text for text in texts].count(True) == 1
