"""Quick replies: texts that a shop's staff often send, in both languages, with placeholders. Pure.

Invariant: a stored text has only known, closed placeholders, so that filling one in never fails and no braces
reach a customer. A reply is offered in the order's language, or in the other one when it has no text in it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from uuid import UUID

from services.orders.backoffice.forms.objections import too_long
from services.orders.backoffice.language.translating import N_, gettext

LONGEST_TEXT = 5000
MOST = 100
LANGUAGES = ("fr", "en")
PLACEHOLDERS = {
    "customer_name": N_("the customer’s name"),
    "code": N_("the order’s code"),
}
_PLACEHOLDER = re.compile(r"\{\{[ \t]*(\w*)[ \t]*\}\}")
_BRACES = re.compile(r"\{\{|\}\}")


@dataclass(frozen=True)
class QuickReply:
    """A quick reply: its name, which only the staff see, and its text by language, "" where there is none."""

    id: UUID
    name: str
    texts: Mapping[str, str]

    def text(self, language: str, values: Mapping[str, str]) -> str:
        """Return the text in a language, else in the other, with its placeholders filled in."""
        found = self.texts.get(language) or next(filter(None, self.texts.values()), "")
        return filled(found, values)


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its placeholders replaced by their values; unknown ones are left as they are."""
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)


def objection(text: str) -> str | None:
    """Return why a text can't be stored, in the user's language: an unknown or unclosed placeholder, with its line."""
    if len(text) > LONGEST_TEXT:
        return too_long(text, LONGEST_TEXT)
    for number, line in enumerate(text.splitlines(), start=1):
        for name in _PLACEHOLDER.findall(line):
            if name not in PLACEHOLDERS:
                return _unknown(name, number)
        if _BRACES.search(_PLACEHOLDER.sub("", line)):
            return gettext("Line %(line)s: close the placeholder with }}, on the same line.", line=number)
    return None


def _unknown(name: str, line: int) -> str:
    near = get_close_matches(name, PLACEHOLDERS, n=1, cutoff=0.0)
    return gettext(
        "Line %(line)s: there is no placeholder {{ %(name)s }}. Did you mean {{ %(near)s }}?",
        line=line,
        name=name[:40],
        near=near[0] if near else next(iter(PLACEHOLDERS)),
    )
