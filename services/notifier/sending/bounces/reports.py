"""Reader of delivery reports: RFC 3464 and 6533, feedback reports (RFC 5965), other forms by flufl.bounce. Pure.

Reports are written by any mail server of the world: nothing in one is trusted, and nothing in one may raise or take
long. The standard library's `compat32` policy is used, since its newer one raises on some of them.
"""

import logging
import re
from binascii import Error as Base64Error
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser

from flufl.bounce import all_failures

from services.chassis.addresses import comparable
from services.chassis.received_mime import parse_mime
from services.notifier.mails.compose.screening import one_line
from services.notifier.sending.bounces.kinds import Kind, kind_of, status_in

LARGEST_BYTES = 1024 * 1024
"""More of a report than that is not read; the part about the recipients comes before the returned mail."""
MOST_RECIPIENTS = 100
_LONGEST = 1000
_STATUS_PARTS = ("message/delivery-status", "message/global-delivery-status")
_ESCAPED = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")
_ANSWER = re.compile(r"\b[45]\d\d[ -].*")
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True, slots=True)
class Report:
    """What a report says about one recipient; `addresses` are its names for it, in comparable form."""

    addresses: frozenset[str]
    kind: Kind
    action: str
    status: str | None = None
    diagnostic: str = ""
    reporting_mta: str | None = None


def read_reports(raw: bytes) -> list[Report]:
    """Return the reports in a mail, one per recipient; none if it is not a report, such as a personal answer."""
    message = parse_mime(raw[:LARGEST_BYTES]).message
    parts: list[Message] = list(message.walk())
    for part in parts:
        if part.get_content_type() in _STATUS_PARTS and (found := list(_of_recipients(_blocks(part)))):
            return found
        if part.get_content_type() == "message/feedback-report":
            return _complaints(_blocks(part))
    return _by_detectors(message, parts)


def _of_recipients(blocks: list[Message]) -> Iterator[Report]:
    """Yield a report per group of fields that names a recipient (RFC 3464, 2.3)."""
    reporter = next((name for block in blocks if (name := _typed(block, "Reporting-MTA"))), None)
    for block in blocks[:MOST_RECIPIENTS]:
        names = [_typed(block, "Original-Recipient"), _typed(block, "Final-Recipient")]
        addresses = frozenset(comparable(name) for name in names if name)
        if not addresses:
            continue
        action, text = _text(block, "Action").lower(), _typed(block, "Diagnostic-Code") or ""
        status = _text(block, "Status")
        yield Report(
            addresses=addresses,
            kind=kind_of(action, status, text),
            action=action[:40] or "failed",
            status=status_in(status) or status_in(text),
            diagnostic=text,
            reporting_mta=reporter,
        )


def _complaints(blocks: list[Message]) -> list[Report]:
    """Return the complaint of a feedback report. The recipient is often left out of it: the token names the mail."""
    fields = next((block for block in blocks if block.get("Feedback-Type")), None)
    if fields is None or _text(fields, "Feedback-Type").lower() not in ("abuse", "fraud", "other"):
        return []
    named = _text(fields, "Original-Rcpt-To").strip("<> ")
    addresses = frozenset({comparable(named)} if named else ())
    return [
        Report(
            addresses, Kind.COMPLAINT, "complained", reporting_mta=_text(fields, "Reported-Domain") or None
        )
    ]


def _by_detectors(message: Message, parts: list[Message]) -> list[Report]:
    """Return what flufl.bounce finds in a mail of another form; it names recipients only, the rest is in the text."""
    try:
        delayed, failed = all_failures(message)
    except Exception:  # noqa: BLE001 - its detectors read whatever servers write
        return []
    text = _words_of(parts)
    return [
        *(_detected(address, "failed", text) for address in sorted(failed)),
        *(_detected(address, "delayed", text) for address in sorted(delayed - failed)),
    ]


def _detected(address: bytes, action: str, text: str) -> Report:
    status = _ANSWER.search(text)
    diagnostic = one_line(status[0] if status else text)[:_LONGEST]
    name = comparable(address.decode("utf-8", "replace"))
    return Report(
        frozenset({name}), kind_of(action, None, diagnostic), action, status_in(diagnostic), diagnostic
    )


def _words_of(parts: list[Message]) -> str:
    plain = [part for part in parts if part.get_content_type() == "text/plain"]
    return "\n".join(_decoded(part) for part in plain[:3])[: _LONGEST * 10]


def _blocks(part: Message) -> list[Message]:
    """Return the groups of fields of a report."""
    groups = re.split(r"(?:\r?\n){2,}", _decoded(part).strip())[:MOST_RECIPIENTS]
    return [BytesHeaderParser().parsebytes(group.encode("utf-8", "replace")) for group in groups]


def _decoded(part: Message) -> str:
    try:
        content = part.get_payload(decode=True)
    except (ValueError, LookupError, Base64Error):
        return ""
    return content.decode("utf-8", "replace") if isinstance(content, bytes) else ""


def _text(block: Message, field: str) -> str:
    return one_line(str(block.get(field, "")))[:_LONGEST]


def _typed(block: Message, field: str) -> str:
    """Return the value of a field `type; value`, with the escapes of RFC 6533 resolved."""
    text = _text(block, field)
    kind, mark, value = text.partition(";")
    value = value.strip() if mark and kind.strip().replace("-", "").isalnum() else text
    return _ESCAPED.sub(_character, value).strip("<> ") if "-Recipient" in field else value


def _character(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else ""
