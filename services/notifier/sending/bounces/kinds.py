"""Kinds of reports: what a report's action, status and text say about the mail and its address. Pure.

Status codes: RFC 3463. Reputation comes first: a sender on a block list would otherwise have the addresses of all its
customers suppressed, since some servers refuse it as an unknown user. A 4.x.x that a server gave up on is a failure.
"""

import re
from enum import StrEnum

from contracts.notifier.bounces import BounceKind


class Kind(StrEnum):
    """What a report is about. A mail with one of the kinds of `BounceKind` came back; the others are notes."""

    DELAYED = "delayed"
    RECEIPT = "receipt"
    ADDRESS = "address"
    FULL = "full"
    TOO_BIG = "too_big"
    REPUTATION = "reputation"
    OTHER = "other"
    COMPLAINT = "complaint"

    @property
    def bounces(self) -> BounceKind | None:
        """Return why the mail came back; None if it did not."""
        return BounceKind(self.value) if self.value in tuple(BounceKind) else None


_ADDRESS = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
_FULL = frozenset({"5.2.2", "4.2.2", "5.3.1"})
_TOO_BIG = frozenset({"5.3.4", "5.2.3"})
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")
_LINK = re.compile(r"https?://\S+")
_BLOCKED = re.compile(
    r"\b(spam\w*|spf|dkim|dmarc|reputation|barracuda|block ?list\w*|black ?list\w*|blocked (using|by|for|due))\b",
    re.IGNORECASE,
)
_BLOCKED_OR_DISABLED = re.compile(r"\bblocked\b", re.IGNORECASE)
"""May also be about the recipient's own mailbox, so it counts only where the status is not about the address."""
_UNKNOWN = re.compile(
    r"\b(user unknown|unknown (user|recipient|mailbox)|no such (user|mailbox|recipient|address|person)"
    r"|(user|recipient|mailbox|account|address)\b.{0,60}\b(does not|doesn't) exist)\b",
    re.IGNORECASE,
)
_OVER_QUOTA = re.compile(
    r"\b(over ?quota|quota exceeded|(mailbox|inbox)( is)? full|exceeded storage)\b", re.IGNORECASE
)


def kind_of(action: str, status: str | None, text: str) -> Kind:
    """Return the kind of a report on one recipient; `text` is its diagnostic."""
    action, status = action.strip().lower(), status_in(status or "") or status_in(text)
    if action in ("delivered", "relayed", "expanded"):
        return Kind.RECEIPT
    if action == "delayed" or (action != "failed" and (status or "").startswith("4")):
        return Kind.DELAYED
    return _kind_of_failure(status, _LINK.sub(" ", text))


def status_in(text: str) -> str | None:
    """Return the first enhanced status code in a text, without leading zeros."""
    found = _STATUS.search(text)
    return ".".join(str(int(part)) for part in found.groups()) if found else None


def names_reputation(text: str) -> bool:
    """Return whether a text says that the sender is unwanted: block lists, spam, SPF, DKIM, DMARC."""
    plain = _LINK.sub(" ", text)
    return bool(_BLOCKED.search(plain) or _BLOCKED_OR_DISABLED.search(plain))


def _kind_of_failure(status: str | None, text: str) -> Kind:
    if _BLOCKED.search(text) or (status not in _ADDRESS and _BLOCKED_OR_DISABLED.search(text)):
        return Kind.REPUTATION
    if status is None or status == "5.0.0":
        return _kind_by_words(text)
    if status in _ADDRESS:
        return Kind.ADDRESS
    if status in _FULL:
        return Kind.FULL
    if status in _TOO_BIG:
        return Kind.TOO_BIG
    return Kind.REPUTATION if status.startswith("5.7.") else Kind.OTHER


def _kind_by_words(text: str) -> Kind:
    if _UNKNOWN.search(text):
        return Kind.ADDRESS
    return Kind.FULL if _OVER_QUOTA.search(text) else Kind.OTHER
