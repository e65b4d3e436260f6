"""Hostile mails: every one is read, letters stay letters, and files are named and typed by us."""

import io
import zipfile
from datetime import UTC, datetime
from email.message import EmailMessage
from uuid import uuid4

import pytest

from contracts.notifier.conversation import AuthorRole, Channel
from services.notifier.conversation.parsing.files import file_of, is_harmful, screened_name, type_of
from services.notifier.conversation.parsing.html_text import text_of_html
from services.notifier.conversation.parsing.parsed import ParsedMail, parse
from services.notifier.conversation.thread import Message as ThreadMessage

pytestmark = pytest.mark.rows("B17")
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc33"
    "0000000049454e44ae426082"
)


def read(head: str | bytes, body: bytes = b"Oui\r\n") -> ParsedMail:
    raw = head.encode() if isinstance(head, str) else head
    return parse(raw.replace(b"\n", b"\r\n") + b"\r\n\r\n" + body, "zoe@clients.example")


def test_an_encoded_line_break_in_from_breaks_nothing() -> None:
    mail = read("From: =?UTF-8?Q?=0AMy_self?= <a@b.example>\nSubject: =?utf-8?q?Oui=0D=0ABcc:_x@y.example?=")
    assert (mail.sender, mail.sender_name) == ("a@b.example", "My self")
    assert "\n" not in mail.subject


def test_a_name_brings_in_no_other_address() -> None:
    mail = read("From: =?utf-8?q?boss=40atelier.example?= <mallory@evil.example>")
    assert mail.sender == "mallory@evil.example"


@pytest.mark.parametrize(
    ("head", "body", "text"),
    [
        ("Content-Type: text/plain; charset=x-foo", "Été à Lyon".encode(), "Été à Lyon"),
        ("Content-Type: text/plain; charset=us-ascii", "Été à Lyon".encode("latin-1"), "Été à Lyon"),
        ("Content-Type: text/plain; charset=utf-8", "Été à Lyon".encode("latin-1"), "Été à Lyon"),
        ("Content-Type: text/plain; charset=gb2312", "你好 – 上海".encode("gb18030"), "你好 – 上海"),
        ("Content-Type: text/plain; charset=", "Été".encode(), "Été"),
        ('Message-ID: <[x@y]>\nContent-Type: text/plain; charset="utf-8', "Été".encode(), "Été"),
        ("Content-Transfer-Encoding: base64\nContent-Type: text/plain", b"not base64 at all!", None),
        ("Content-Type: multipart/mixed; boundary=never", b"no part", None),
        ("Content-Type: ;;;==", b"Oui", "Oui"),
        ("", b"Oui", "Oui"),
    ],
)
def test_charsets_and_structures_that_lie_are_read(head: str, body: bytes, text: str | None) -> None:
    mail = read("From: a@b.example\n" + head, body)
    assert text is None or mail.text == text


@pytest.mark.parametrize("html", ["\u200b", "&#8203;", "<p>&#x200B;</p><br>", "<div>\u2060&nbsp;</div>"])
def test_html_of_invisible_characters_has_no_text(html: str) -> None:
    mail = read("From: a@b.example\nContent-Type: text/html; charset=utf-8", html.encode())
    assert (mail.text, mail.excerpt) == ("", "")


def test_the_excerpt_of_a_mail_that_only_quotes_is_the_quotation() -> None:
    assert (
        read("From: a@b.example", b"> Votre commande\r\n> est partie\r\n").excerpt
        == "> Votre commande > est partie"
    )
    assert read("From: a@b.example", b"> Votre commande\r\nMerci\r\n").excerpt == "Merci"


def test_html_only_is_text_with_links_and_without_scripts_and_pictures() -> None:
    html = (
        "<html><head><style>p{}</style><script>alert(1)</script></head><body><p>Bonjour <b>Léa</b>,</p>"
        "<ul><li>taille 42</li><li>bleu</li></ul><p><a href='https://b.example/x'>cette bougie</a>"
        "<img src='https://spy.example/p.gif'></p><blockquote>Le texte cité</blockquote></body></html>"
    )
    text = text_of_html(html)
    assert "alert" not in text
    assert "spy.example" not in text
    assert text.splitlines()[:4] == ["Bonjour Léa,", "", "- taille 42", "- bleu"]
    assert "cette bougie <https://b.example/x>" in text
    assert "> Le texte cité" in text


def test_plain_text_counts_unless_it_only_points_to_the_html() -> None:
    html = "La version HTML"
    for plain, expected in (("Oui, la 42.", "Oui, la 42."), ("", html), ("See the HTML part.", html)):
        message = EmailMessage()
        message["From"] = "a@b.example"
        message.set_content(plain)
        message.add_alternative("<p>La version HTML</p>", subtype="html")
        assert parse(message.as_bytes(), "a@b.example").text.strip() == expected


def test_of_sixty_files_fifty_are_kept_and_ten_are_listed_as_omitted() -> None:
    message = EmailMessage()
    message["From"] = "a@b.example"
    message.set_content("Voici")
    for number in range(60):
        message.add_attachment(PIXEL, maintype="image", subtype="png", filename=f"{number}.png")
    files = parse(message.as_bytes(), "a@b.example").files
    assert [file.state for file in files] == ["kept"] * 50 + ["omitted"] * 10
    assert all(file.content is None for file in files[50:])


def test_file_names_are_read_in_every_spelling() -> None:
    for disposition, name in (
        ("attachment; filename*=us-ascii''W%F6lbung.jpg", "Wölbung.jpg"),
        ("attachment; filename=\"us-ascii''W%F6lbung.jpg\"", "Wölbung.jpg"),
        ('attachment; filename="=?utf-8?b?w6l0w6kucG5n?="', "été.png"),
    ):
        head = f"From: a@b.example\nContent-Type: image/png\nContent-Disposition: {disposition}"
        (file,) = read(head, PIXEL).files
        assert file.name == name


def test_types_are_those_of_the_first_bytes_and_what_could_harm_is_blocked() -> None:
    assert type_of(b"<html><script>x</script>") == "text/html"
    assert type_of(b"<svg xmlns='x' onload='alert(1)'>") == "image/svg+xml"
    assert type_of(PIXEL) == "image/png"
    assert type_of("Été".encode()) == "text/plain"
    assert file_of(1, "facture.pdf", b"<!doctype html><p>").state == "blocked"
    assert file_of(1, "photo.png", PIXEL).state == "kept"
    assert file_of(1, "x.pdf", b"MZ\x90\x00").state == "blocked"
    assert is_harmful("a.docm", b"PK\x03\x04")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", b"\0" * 10_000_000)
    bomb = file_of(1, "bomb.zip", packed.getvalue())
    assert (bomb.state, bomb.content) == ("kept", packed.getvalue())


def test_names_have_no_folder_and_no_hidden_direction() -> None:
    assert screened_name("../../etc/x", 1, "text/plain") == "x"
    assert screened_name("C:\\users\\a\u202efdp.exe", 1, "application/pdf") == "afdp.exe"
    assert screened_name("", 3, "image/png") == "attachment-3.png"
    assert len(screened_name("é" * 400 + ".pdf", 1, "application/pdf")) == 150


@pytest.mark.parametrize(
    ("pieces", "excerpt"),
    [
        ([("quote", "Votre commande\nest partie")], "Votre commande est partie"),
        ([("quote", "Votre commande"), ("shown", "Merci")], "Merci"),
        ([("shown", " \n"), ("folded", "Le 3 mai")], "Le 3 mai"),
        ([], ""),
    ],
)
def test_the_excerpt_of_a_message_is_what_the_thread_shows(
    pieces: list[tuple[str, str]], excerpt: str
) -> None:
    segments = [{"kind": kind, "text": text} for kind, text in pieces]
    message = ThreadMessage(
        uuid4(), AuthorRole.CUSTOMER, "Zoé", Channel.MAIL, datetime(2026, 5, 3, tzinfo=UTC), segments
    )
    assert message.excerpt == excerpt
