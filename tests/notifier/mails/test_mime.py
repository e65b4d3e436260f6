"""What is written by hand is read back by the standard library, whatever the text."""

from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.mails.compose import mime
from services.notifier.mails.compose.screening import one_line, paragraphs, shortened, web_address

any_text = st.text(st.characters(codec="utf-8"), max_size=400)
lines = any_text.map(one_line)


def parsed(headers: list[tuple[str, str]], text: str = "", html: str = "") -> EmailMessage:
    content = mime.message(headers, text, html, "=_boundary")
    assert content.isascii()
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert all(part.defects == [] for part in message.walk())
    return message


@given(any_text.map(lambda text: text.replace("\r", "")), any_text.map(lambda text: text.replace("\r", "")))
def test_bodies_come_back_as_they_were(text: str, html: str) -> None:
    message = parsed([("Subject", "x")], text, html)
    for kind, body in (("plain", text), ("html", html)):
        part = message.get_body((kind,))
        assert part is not None
        assert part.get_payload(decode=True).decode() == body.replace("\n", "\r\n")  # type: ignore[union-attr]


def test_no_boundary_of_a_mail_with_a_pdf_begins_with_the_other() -> None:
    content = mime.message_with_pdf([("Subject", "x")], "a", "b", "=_boundary", mime.Pdf("F1.pdf", b"%PDF"))
    message = message_from_bytes(content, policy=policy.default)
    outer, inner = [part.get_boundary("") for part in message.walk() if part.is_multipart()]
    assert not outer.startswith(inner)
    assert not inner.startswith(outer)


@given(lines)
def test_subject_comes_back_as_it_was(text: str) -> None:
    assert " ".join(str(parsed([("Subject", mime.unstructured(text))])["Subject"]).split()) == " ".join(
        text.split()
    )


@given(lines)
def test_mailbox_is_one_address_with_its_name(name: str) -> None:
    header = mime.mailbox(name, "zoe@clients.example")
    assert [address.addr_spec for address in parsed([("To", header)])["To"].addresses] == [
        "zoe@clients.example"
    ]
    # The header parser of Python 3.11 keeps the space between two encoded words of a name (RFC 2047, 6.2, drops it).
    shown, address = parseaddr(header.replace("\r\n", ""))
    assert address == "zoe@clients.example"
    assert " ".join(str(make_header(decode_header(shown))).split()) == " ".join(name.split())


@pytest.mark.parametrize("value", ["a\r\nBcc: b@c.example", "a\nb", "a\rb", "a\x00b", "a\x7fb"])
def test_header_cannot_begin_another(value: str) -> None:
    with pytest.raises(mime.HeaderBroken, match="control character"):
        mime.message([("Subject", value)], "", "", "=_b")


@given(any_text)
def test_screened_text_is_one_line_without_hidden_marks(text: str) -> None:
    shown = one_line(text)
    assert not any(ord(character) < 32 or "\u202a" <= character <= "\u202e" for character in shown)
    assert one_line(shown) == shown


def test_screening_keeps_what_people_write() -> None:
    text = "Zoé Lefèvre 👩‍🚀 שלום مرحبا O'Neil & Fils"
    assert one_line(text) == text
    assert one_line("a\r\n\tb\u202ec\x00") == "a bc"
    assert paragraphs(" one\r\n\r\n\r\ntwo\rthree ") == ["one", "", "two", "three"]


def test_shortened_and_web_address() -> None:
    assert (shortened("abcdef", 6), shortened("abcdefg", 6)) == ("abcdef", "abcde…")
    assert web_address('https://x.example/a b"<>?q=é%20') == "https://x.example/a%20b%22%3C%3E?q=%C3%A9%20"
    assert web_address("javascript:alert(1)") is None
    assert web_address(None) is None
