"""Mails that arrive at a bounce address: what they say about the mail that the address belongs to.

A report counts only for the mail of its token and the recipient that mail was handed over for. One about another or
more recipients is parked, for staff to read; any other mail is an answer, automatic or personal.
"""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from services.chassis.addresses import comparable
from services.chassis.messaging.unit import Unit
from services.chassis.storage.database import Connection
from services.notifier.mails import store as mail_store
from services.notifier.mails.mail import Mail
from services.notifier.sending.bounces import store
from services.notifier.sending.bounces.addresses import hash_of, token_of
from services.notifier.sending.bounces.kinds import Kind
from services.notifier.sending.bounces.recording import Fact, id_of, record_reported
from services.notifier.sending.bounces.reports import Report, read_reports


class InboundMail(Protocol):
    """A mail as it was received: its id, the address it was sent to, and its bytes."""

    @property
    def inbound_id(self) -> UUID: ...
    @property
    def envelope_to(self) -> str: ...
    @property
    def raw(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Bounce:
    """It was a report, and what it says is recorded; a repeated one changed nothing."""

    mail: Mail
    kind: Kind


@dataclass(frozen=True, slots=True)
class Parked:
    """It is a report that can't be counted, for this reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoReport:
    """It is not a report but an answer to this mail, to be filed in the thread of its order."""

    mail: Mail


Outcome = Bounce | Parked | NoReport


async def find_bounced(connection: Connection, address: str) -> tuple[str, UUID | None] | None:
    """Return shop and order of the mail that a bounce address belongs to; None for an unknown address."""
    token = token_of(address)
    handed = await store.read_address(connection, hash_of(token)) if token else None
    mails = await mail_store.read_mails(connection, [handed.mail_id]) if handed else []
    return (mails[0].shop, mails[0].order_id) if mails else None


async def read_bounce(unit: Unit, inbound: InboundMail) -> Outcome:
    """Record what a mail to a bounce address says. Raises nothing because of its content."""
    token = token_of(inbound.envelope_to)
    handed = await store.read_address(unit.connection, hash_of(token)) if token else None
    mails = await mail_store.read_mails(unit.connection, [handed.mail_id]) if handed else []
    if handed is None or not mails:
        return Parked("bounce_token_unknown")
    reports = read_reports(inbound.raw)
    if not reports:
        return NoReport(mails[0])
    if len(reports) > 1 or not _is_of(reports[0], handed.recipient):
        return Parked("bounce_of_another_recipient")
    fact = Fact(
        id_of(handed.token_hash, reports[0]), mails[0], handed.recipient, reports[0], inbound.inbound_id
    )
    await record_reported(unit, fact, is_latest=handed.is_latest)
    return Bounce(mails[0], reports[0].kind)


def _is_of(report: Report, recipient: str) -> bool:
    """Return whether a report is about this recipient. A complaint may leave its recipient out."""
    if report.kind is Kind.COMPLAINT and not report.addresses:
        return True
    return comparable(recipient) in report.addresses
