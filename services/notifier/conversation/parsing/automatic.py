"""Whether a mail was sent by a program: vacation replies, confirmations, bounces to a reply address. Pure.

Precedence, List-* and X-Auto-Response-Suppress prove nothing: mails that people wrote carry them. A vacation subject
counts only on an answer: a person may well write about a holiday.
"""

import re
from email.message import Message

from services.notifier.conversation.parsing.headers import text_of, value_of, values_of

_REPLY_FIELDS = ("X-Autoreply", "X-Autorespond", "X-Autoresponder")
_VACATION = re.compile(
    r"""^\s*(?:(?:re|aw|sv|tr|fwd?|r[ée]p|antw)\s*:\s*)*\W*(?:
        (?:automatic|auto)[\s-]*(?:reply|response|antwort) | out\s+of\s+(?:the\s+)?office | autoreply | vacation\s+reply
        | r[ée]ponse\s+automatique | absence\s+du\s+bureau | message\s+d['’]absence | absent(?:e)?\s+du\s+bureau
        | automatische\s+antwort | abwesenheits(?:notiz|nachricht|meldung) | au(?:ß|ss)er\s+haus
        | respuesta\s+autom[áa]tica | fuera\s+de\s+la\s+oficina
        | risposta\s+automatica | fuori\s+(?:sede|ufficio)
        | automatisch\s+antwoord | automatische\s+beantwoording | afwezigheids?(?:bericht|melding) | afwezig\b
    )""",
    re.IGNORECASE | re.VERBOSE,
)


def is_automatic(message: Message, envelope_from: str) -> bool:
    """Return whether a program sent the mail."""
    if not envelope_from:
        return True
    submitted = value_of(message, "Auto-Submitted").split(";")[0].strip().lower()
    if submitted and submitted != "no":
        return True
    if any(value.strip().lower() != "no" for name in _REPLY_FIELDS for value in values_of(message, name)):
        return True
    return bool(value_of(message, "In-Reply-To").strip() and _VACATION.match(text_of(message, "Subject")))
