"""A received mail rendered safely: its header fields and its body as HTML that loads and runs nothing. Pure.

Mails may be hostile or malformed. Nothing here raises: parts that cannot be decoded are shown as text, parts that
are too large or nested too deeply are left out. Pictures, scripts, styles and forms are removed; links keep http,
https and mailto.
"""

from collections.abc import Iterator
from email.header import decode_header
from email.message import Message

import nh3
from markupsafe import Markup, escape

from services.chassis.received_mime import html_within_bounds, parse_mime
from services.orders.backoffice.language.translating import gettext

MOST_BYTES = 26 * 1024 * 1024
MOST_CHARACTERS, LONGEST_FIELD = 1_000_000, 1000
TAGS = nh3.ALLOWED_TAGS - {"img", "map", "area"}
_CHARSETS = {"gb2312": "gb18030", "ks_c_5601-1987": "cp949", "us-ascii": "utf-8", "": "utf-8"}
_STYLE = (
    "body{font:15px/1.5 sans-serif;margin:16px;overflow-wrap:anywhere}dl{display:grid;grid-template-columns:auto 1fr;"
    "gap:2px 12px;color:#444}dd{margin:0}table{max-width:100%}pre{white-space:pre-wrap}"
)


def original(raw: bytes) -> str:
    """Return the mail as a page of HTML for a frame without scripts."""
    try:
        mime = parse_mime(raw[:MOST_BYTES])
        fields, body = list(_fields(mime.message)), _body(mime.message)
        if not mime.is_whole:
            body = _cut() + body
    except (LookupError, ValueError, TypeError, AttributeError):
        fields, body = [], _as_text(_decoded(raw[:MOST_CHARACTERS], "utf-8"))
    heads = Markup("").join(Markup("<dt>{}</dt><dd>{}</dd>").format(name, text) for name, text in fields)
    page = Markup('<!doctype html><meta charset="utf-8"><title>{}</title><style>{}</style><dl>{}</dl><hr>{}')
    return page.format(gettext("Original mail"), Markup(_STYLE), heads, body)


def _fields(mail: Message) -> Iterator[tuple[str, str]]:
    names = {
        "From": gettext("From"),
        "To": gettext("To"),
        "Date": gettext("Date"),
        "Subject": gettext("Subject"),
    }
    for name, label in names.items():
        value = mail.get(name)
        if value:
            yield label, header_text(str(value))


def header_text(value: str) -> str:
    """Return the readable text of a header field, on one line."""
    try:
        pieces = decode_header(value)
    except Exception:  # noqa: BLE001 - email raises several kinds for hostile fields
        pieces = [(value, None)]
    text = "".join(
        _decoded(piece, charset or "") if isinstance(piece, bytes) else piece for piece, charset in pieces
    )
    return " ".join(text.split())[:LONGEST_FIELD]


def _body(mail: Message) -> Markup:
    """Return the body: the HTML part, else the text part."""
    parts = [part for part in mail.walk() if not part.is_multipart()]
    for kind, show in (("text/html", _as_html), ("text/plain", _as_text)):
        for part in parts:
            if part.get_content_type() == kind and part.get_content_disposition() != "attachment":
                return show(_text(part))
    return _as_text(gettext("(no readable text)"))


def _text(part: Message) -> str:
    content = part.get_payload(decode=True)
    charset = str(part.get_content_charset() or "")
    return _decoded(content if isinstance(content, bytes) else b"", charset)[:MOST_CHARACTERS]


def _decoded(content: bytes, charset: str) -> str:
    """Return the decoded text: in the declared charset, else UTF-8, else Windows-1252, in which every byte is a
    character.
    """
    for one in (_CHARSETS.get(charset.lower(), charset), "utf-8"):
        try:
            return content.decode(one)
        except (LookupError, ValueError):
            continue
    return content.decode("cp1252", errors="replace")


def _as_html(text: str) -> Markup:
    html, is_whole = html_within_bounds(text)
    clean = nh3.clean(
        html, tags=TAGS, url_schemes={"http", "https", "mailto"}, link_rel="noopener noreferrer nofollow"
    )
    return Markup(clean) if is_whole else _cut() + Markup(clean)


def _cut() -> Markup:
    note = gettext("Part of this mail is not shown. Download the mail to see all of it.")
    return Markup("<p><strong>{}</strong></p>").format(note)


def _as_text(text: str) -> Markup:
    return Markup("<pre>{}</pre>").format(escape(text[:MOST_CHARACTERS]))
