"""Rejection reasons of commands, in the user's language.

Services return a stable code and an English sentence with ids and values, which is for developers; the shop's
staff get the text for the code from here. A code without a text shows the service's sentence.
"""

from collections.abc import Sequence

from contracts.message import Reason
from services.orders.backoffice.language.actors import who
from services.orders.backoffice.language.mention_texts import explain_mentions
from services.orders.backoffice.language.reason_texts import BY_PEOPLE, TEXTS
from services.orders.backoffice.language.translating import gettext
from services.orders.changes.changing import ChangeRefused
from services.orders.order.refusal import Refusal


def explain(reason: Reason) -> str:
    """Return the reason as a text for users."""
    if reason.code in BY_PEOPLE:
        between, sentence = BY_PEOPLE[reason.code]
        name, _, own = reason.message.partition(between)
        return gettext(sentence, name=who(name), reason=own)
    if named := explain_mentions(reason):
        return named
    text = TEXTS.get(reason.code)
    return gettext(text) if text is not None else reason.message


def explain_refusal(refusal: Refusal) -> str:
    """Return the reason of a rejection by orders itself as a text for users."""
    if isinstance(refusal, ChangeRefused):
        return " ".join(explain(reason) for reason in refusal.reasons)
    text = TEXTS.get(refusal.code)
    return gettext(text) if text is not None else str(refusal)


def by_field(reasons: Sequence[Reason]) -> dict[str, str]:
    """Return reasons as a form shows them: those about a field beside it, the others above."""
    found: dict[str, list[str]] = {}
    for reason in reasons:
        found.setdefault(reason.field or "", []).append(explain(reason))
    return {name: " ".join(texts) for name, texts in found.items()}
