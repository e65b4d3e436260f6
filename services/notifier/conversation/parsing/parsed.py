"""A received mail as it is posted: who wrote it, what, and what was attached.

What lies beyond the bounds of parsing is only in the mail as it came, and the mail is not whole. The text is what a
reader would see: plain text, unless it is empty or only points to the HTML.
"""

import re
from binascii import Error as Base64Error
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from email.utils import collapse_rfc2231_value
from urllib.parse import unquote_to_bytes

from services.chassis.received_mime import LONGEST_HTML, Part, html_within_bounds, parse_mime
from services.chassis.texts import is_blank
from services.notifier.conversation.parsing.automatic import is_automatic
from services.notifier.conversation.parsing.charsets import decode
from services.notifier.conversation.parsing.files import File, file_of
from services.notifier.conversation.parsing.headers import (
    date_of,
    decoded,
    ids_of,
    is_dmarc_passed,
    message_id_of,
    sender_of,
    text_of,
)
from services.notifier.conversation.parsing.html_text import text_of_html

LONGEST_TEXT = 1024 * 1024
EXCERPT = 300
_EXCERPTED = 20_000
"""Characters of a text that its excerpt is looked for in."""
_POINTER = 200
_RICH = ("text/html", "multipart/related", "multipart/mixed")
"""What an HTML body beside a plain text may be."""
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """A received mail. `references` are the ids in In-Reply-To and References, the nearest last; `is_whole` is false
    when it is larger or deeper than what is read.
    """

    message_id: str | None
    references: list[str]
    sender_name: str
    sender: str
    subject: str
    sent_at: datetime | None
    is_automatic: bool
    is_dmarc_passed: bool
    text: str
    files: list[File]
    is_whole: bool = True

    @property
    def excerpt(self) -> str:
        """Return the beginning of the text without quoted lines, on one line; of the quoted ones if there are no
        others."""
        lines = self.text[:_EXCERPTED].split("\n")
        own = [line for line in lines if not line.lstrip().startswith(">")]
        plain = " ".join(" ".join(own).split()) or " ".join(" ".join(lines).split())
        return plain if len(plain) <= EXCERPT else plain[: EXCERPT - 1] + "…"


def parse(raw: bytes, envelope_from: str, authserv_id: str | None = None) -> ParsedMail:
    """Return the content of a mail, within the bounds of parsing."""
    mime = parse_mime(raw)
    message = mime.message
    name, address = sender_of(message)
    text, files, is_text_whole = _content(message)
    return ParsedMail(
        message_id=message_id_of(message),
        references=ids_of(message, "References", "In-Reply-To"),
        sender_name=name,
        sender=address,
        subject=text_of(message, "Subject"),
        sent_at=date_of(message),
        is_automatic=is_automatic(message, envelope_from),
        is_dmarc_passed=is_dmarc_passed(message, authserv_id),
        text=text,
        files=files,
        is_whole=mime.is_whole and is_text_whole,
    )


def clean_text(text: str) -> str:
    """Return a text with `\\n` lines and without control and direction characters."""
    return _UNSAFE.sub(
        "", text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    )


@dataclass(frozen=True, slots=True)
class _Leaf:
    part: Message
    kind: str
    is_attached: bool


def _content(message: Part) -> tuple[str, list[File], bool]:
    """Return the text, the files, and whether the text is all of what there is."""
    texts: list[str] = []
    files: list[File] = []
    html_read, is_whole = 0, True
    for leaf in _leaves(message):
        if leaf.is_attached or leaf.kind not in ("text/plain", "text/html"):
            files.append(_file(leaf.part, len(files) + 1))
        elif leaf.kind == "text/plain":
            texts.append(clean_text(_text(leaf.part)))
        elif html_read >= LONGEST_HTML:
            is_whole = False
        else:
            html, is_html_whole = html_within_bounds(clean_text(_text(leaf.part)))
            html_read, is_whole = html_read + len(html), is_whole and is_html_whole
            texts.append(clean_text(text_of_html(html)))  # entities may be invisible characters, too
    whole = "\n\n".join(text.strip("\n") for text in texts if not is_blank(text))
    if len(whole) > LONGEST_TEXT:
        files.insert(0, file_of(0, "message.txt", whole.encode()))
        whole = whole[:LONGEST_TEXT]
    return whole, files, is_whole


def _leaves(message: Part) -> Iterator[_Leaf]:
    """Yield the parts to show and to keep, in their order; of alternatives the chosen one."""
    waiting: list[Message] = [message]
    while waiting:
        part = waiting.pop()
        if part.is_multipart():
            children = [child for child in part.get_payload() if isinstance(child, Message)]
            if part.get_content_subtype() == "alternative":
                children = _chosen(children)
            waiting += reversed(children)
        elif not (isinstance(part, Part) and part.is_unopened):
            # without the lines between its parts, a multipart message is text
            is_multipart = part.get_content_maintype() == "multipart"
            yield _Leaf(part, "text/plain" if is_multipart else part.get_content_type(), _is_attached(part))


def _chosen(alternatives: list[Message]) -> list[Message]:
    """Return the alternative to show, and what is not a body (a calendar file beside the texts)."""
    plain = next((part for part in alternatives if part.get_content_type() == "text/plain"), None)
    others = [part for part in alternatives if part.get_content_type() != "text/plain"]
    is_html = [
        part
        for part in others
        if part.get_content_type() in ("text/html", "multipart/related", "multipart/mixed")
    ]
    if plain is not None and not (is_html and _is_pointer(_text(plain))):
        kept = [part for part in others if part not in is_html]
        return [plain, *(part for html in is_html if html.is_multipart() for part in _files_in(html)), *kept]
    return others or alternatives


def _files_in(related: Message) -> list[Message]:
    """Return the files beside an HTML body that is not shown."""
    children = [child for child in related.get_payload() if isinstance(child, Message)]
    return [child for child in children if not child.get_content_type().startswith(("text/", "multipart/"))]


def _is_pointer(text: str) -> bool:
    """Return whether a plain text has no words of its own: empty, or one short line that points to the HTML."""
    plain = text.strip()
    return not plain or (len(plain) <= _POINTER and "html" in plain.lower() and len(plain.splitlines()) <= 3)


def _is_attached(part: Message) -> bool:
    disposition = str(part.get("Content-Disposition", "")).split(";")[0].strip().lower()
    return disposition == "attachment" or bool(_file_name(part))


def _file(part: Message, number: int) -> File:
    return file_of(number, _file_name(part), _bytes(part), is_inline=part.get("Content-ID") is not None)


def _file_name(part: Message) -> str:
    """Return the file's name in any of the ways in which mail programs write it; "" when there is none."""
    for header, parameter in (("Content-Disposition", "filename"), ("Content-Type", "name")):
        try:
            value = part.get_param(parameter, None, header)
            if isinstance(value, tuple):
                charset, _, text = value
                return decode(text.encode("latin-1", "replace"), charset)
            if value:
                return _spelled(collapse_rfc2231_value(value))
        except (ValueError, LookupError, TypeError, UnicodeError):
            continue
    return ""


def _spelled(value: str) -> str:
    """Return a name with encoded words or, as some programs write them in plain parameters, percent signs decoded."""
    plain = value.encode("utf-8", "surrogateescape")
    text = decoded(decode(plain, None))
    charset, mark, rest = text.partition("''")
    if mark and charset and "%" in rest:
        return decode(unquote_to_bytes(rest), charset)
    return text


def _text(part: Message) -> str:
    charset = part.get_param("charset")
    return decode(_bytes(part), charset if isinstance(charset, str) else None)


def _bytes(part: Message) -> bytes:
    """Return a part's content; what can't be decoded stays as it came."""
    try:
        content = part.get_payload(decode=True)
    except (ValueError, LookupError, Base64Error):
        content = None
    if isinstance(content, bytes):
        return content
    return str(part.get_payload()).encode("utf-8", "surrogateescape")
