"""Header fields of a received mail, read tolerantly: a broken one never stops the mail.

compat32 messages are used, since the newer policy of the standard library raises on what mail programs send.
"""

import re
from datetime import UTC, datetime
from email.header import decode_header
from email.message import Message
from email.utils import parseaddr, parsedate_to_datetime

from services.notifier.conversation.parsing.charsets import decode
from services.notifier.mails.compose.screening import one_line, shortened

LONGEST = 1000
MOST_REFERENCES = 100
MOST_COMMENTS = 20
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,400}>")


def text_of(message: Message, name: str) -> str:
    """Return a field as text on one line, its encoded words decoded; "" when there is none."""
    found = values_of(message, name)
    return shortened(one_line(decoded(found[0])), LONGEST) if found else ""


def values_of(message: Message, name: str) -> list[str]:
    """Return the values of all fields of this name; bytes that are not ASCII are decoded as UTF-8, else
    Windows-1252.
    """
    wanted = name.lower()
    return [_plain(str(value)) for key, value in message.raw_items() if key.lower() == wanted]


def value_of(message: Message, name: str) -> str:
    """Return the value of the first field of this name; "" when there is none."""
    return next(iter(values_of(message, name)), "")


def decoded(value: str) -> str:
    """Return a value with its encoded words (RFC 2047) decoded; an invalid one stays as it is."""
    if "=?" not in value:
        return value
    try:
        parts = decode_header(value[: 4 * LONGEST])
        return "".join(part if isinstance(part, str) else decode(part, charset) for part, charset in parts)
    except (ValueError, LookupError, IndexError, TypeError):
        return value


def sender_of(message: Message) -> tuple[str, str]:
    """Return name and address in From, the address in lower case and "" when there is none.

    The address is read before encoded words are decoded: a name can't bring one in. Of several From fields the first
    counts.
    """
    raw = value_of(message, "From")[: 4 * LONGEST]
    # the library goes a call deeper with every comment in a comment
    name, address = parseaddr(" ".join(raw.split())) if raw.count("(") <= MOST_COMMENTS else ("", "")
    if "@" not in address:
        found = re.search(r"[^\s<>,;\"]{1,64}@[^\s<>,;\"]{1,190}", raw)
        address = found[0] if found else ""
    shown = one_line(decoded(name)).strip().strip("\"'")
    return shortened(shown, 200), one_line(address).lower()[:254]


def message_id_of(message: Message) -> str | None:
    """Return the mail's own Message-ID; None for one that is not an id."""
    found = ids_of(message, "Message-ID")
    return found[0] if found else None


def ids_of(message: Message, *names: str) -> list[str]:
    """Return the Message-IDs in these fields, in their order."""
    values = " ".join(value for name in names for value in values_of(message, name))
    return list(dict.fromkeys(_MESSAGE_ID.findall(values[:100_000])))[-MOST_REFERENCES:]


def date_of(message: Message) -> datetime | None:
    """Return when the mail was written, by its sender's clock; None for a date that can't be read."""
    try:
        found = parsedate_to_datetime(value_of(message, "Date"))
        found = found if found.tzinfo else found.replace(tzinfo=UTC)
        return found if 1990 <= found.year <= 2200 else None
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None


def is_dmarc_passed(message: Message, authserv_id: str | None) -> bool:
    """Return whether our own mail server writes that the sender's domain vouches for the mail (RFC 8601, RFC 7489).

    The first field under our own name counts, which our server adds on top; those of other servers prove nothing.
    """
    if authserv_id is None:
        return False
    for value in values_of(message, "Authentication-Results"):
        name, _, results = " ".join(value.split()).partition(";")
        if name.split(" ")[0].lower() == authserv_id.lower():
            return re.search(r"(?:^|[;\s])dmarc\s*=\s*pass(?:[\s;(]|$)", results, re.IGNORECASE) is not None
    return False


def _plain(text: str) -> str:
    if any("\udc80" <= sign <= "\udcff" for sign in text):
        return decode(text.encode("utf-8", "surrogateescape"), None)
    return text
