"""Refusals by our own mail server, read from the note on a mail's sending: the same facts as those of reports. Pure.

A refusal of the recipient is about this mail, and so is one of its content that names its size or our
reputation. A refusal of the sender or of our log-in is not, nor is one by the server's own policy (5.7) such as
"relay access denied".
"""

import re

from services.notifier.sending.bounces.kinds import Kind, kind_of, names_reputation, status_in
from services.notifier.sending.bounces.reports import Report

_NOTE = re.compile(r"(given up after \d+ tries: )?(recipient|content): ([45]\d\d) ?(.*)", re.DOTALL)
_BY_CODE = {"552": Kind.FULL, "553": Kind.ADDRESS}
"""Replies that have a meaning of their own (RFC 5321, 4.2.3), where no enhanced status code is given."""
_OF_CONTENT = frozenset({Kind.TOO_BIG, Kind.FULL, Kind.REPUTATION})


def refusal_in(note: str) -> Report | None:
    """Return what a failed mail's note says about its address; None if it contains nothing about it."""
    found = _NOTE.fullmatch(note)
    if found is None:
        return None
    given_up, step, code, text = found.groups()
    status = status_in(text)
    if status is None and step == "recipient" and code in _BY_CODE:
        kind = _BY_CODE[code]
    else:
        kind = kind_of("failed", status, text)
    if step == "content" and (status is None or kind not in _OF_CONTENT):
        return None
    if given_up and kind is not Kind.FULL:
        return None
    if (status or "").startswith("5.7.") and not names_reputation(text):
        return None
    return Report(frozenset(), kind, "refused", status, f"{code} {text}".strip()[:1000])
