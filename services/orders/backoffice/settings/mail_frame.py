"""The document in the preview frame beside an editor: a mail's subject, its errors, and its HTML or text, light or
dark.

It is served with a content security policy under which nothing runs or loads.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from services.orders.api.owners.clients import Answer, ServiceUnavailable
from services.orders.backoffice.language.translating import gettext, page_locale
from services.orders.backoffice.settings.mail_text_words import part_names, problem_words

_BODY = re.compile(r"<body[^>]*>")
_DARK = "@media (prefers-color-scheme: dark)"
_BAR = (
    "margin:0;padding:10px 14px;font:600 14px/1.4 system-ui,sans-serif;overflow-wrap:anywhere;"
    "color:#1f2328;background:#e9e6df;border-bottom:1px solid #cfc9bd"
)
_FAULT = (
    "margin:0;padding:10px 14px;font:14px/1.4 system-ui,sans-serif;overflow-wrap:anywhere;"
    "color:#7a1212;background:#fdecea;border-bottom:1px solid #e3b5b0"
)
_TEXT = (
    "margin:0;padding:14px;white-space:pre-wrap;overflow-wrap:anywhere;font:14px/1.5 ui-monospace,monospace;"
)
PREVIEW_SECONDS = 10.0
"""Time that the notifier has to render a preview: the page is there already, only its frame waits."""


def framed(answer: Answer | ServiceUnavailable, is_text: bool, look: str) -> str:
    """Return the document. `look`: light, dark, or as the browser prefers."""
    if isinstance(answer, ServiceUnavailable):
        return _document(_fault(gettext("The preview is unavailable right now. Your input is still here.")))
    if answer.status != 200:
        return _document(_fault(gettext("This mail can’t be shown.")))
    body: Mapping[str, Any] = answer.body
    head = _head(body["subject"], body.get("problems", {}))
    if is_text:
        ink = "color:#eceae6;background:#15171a" if look == "dark" else "color:#1f2328;background:#ffffff"
        return _document(head + Markup('<pre style="{}">{}</pre>').format(_TEXT + ink, body["text"]))
    html = str(body["html"])
    if look in ("light", "dark"):
        html = html.replace(_DARK, "@media all" if look == "dark" else "@media not all")
        html = html.replace('content="light dark"', f'content="{look}"')
        html = html.replace("color-scheme: light dark", f"color-scheme: {look}")
    found = _BODY.search(html)
    return html if found is None else html[: found.end()] + str(head) + html[found.end() :]


def fault_frame(text: str) -> str:
    """Return a document with the reason why there is no preview."""
    return _document(_fault(text))


def _head(subject: str, problems: Mapping[str, Sequence[Mapping[str, Any]]]) -> Markup:
    names = part_names()
    faults = Markup().join(
        _fault(f"{names[part]} – {problem_words(one)}") for part, found in problems.items() for one in found
    )
    return Markup('<p style="{}">{}</p>{}').format(_BAR, subject, faults)


def _fault(text: str) -> Markup:
    return Markup('<p style="{}">{}</p>').format(_FAULT, text)


def _document(content: Markup) -> str:
    title, language = escape(gettext("Preview of the mail")), page_locale().language
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title></head>'
        f'<body style="margin:0">{content}</body></html>'
    )
