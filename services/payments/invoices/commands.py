"""Commands about invoices: a shop's settings are changed, an order's invoice is asked for."""

import base64
import binascii
import hashlib
from datetime import date, datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from contracts.message import Reason
from contracts.payments.invoices import (
    ChangeInvoicing,
    InvoiceKind,
    InvoicingSettings,
    ReissueInvoice,
)
from contracts.service import CommandRejected
from services.chassis.messaging.subscribers import ReceivedMessage
from services.payments.accounts.unit.answering import account_of, deleted, reject
from services.payments.accounts.unit.invoicing_store import Invoicing
from services.payments.accounts.unit.sale_changes import wish_of
from services.payments.accounts.unit.unit import AccountUnit
from services.payments.invoices.documents_due import owed_minor
from services.payments.invoices.mentions import invalid, may_issue, missing, refused
from services.payments.invoices.publishing import settings_event_of

FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2200, 12, 31)
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
"""How PNG and JPEG files begin."""


def change_invoicing(work: AccountUnit, received: ReceivedMessage[ChangeInvoicing]) -> None:
    """Replace a shop's settings, or answer with every reason against it. A settings' version changes once."""
    command = received.message
    known = work.sales.invoicing.get(command.shop)
    logo, reasons = _logo(command.settings)
    if reasons := _unreadable(work, command.shop) or [
        *_stale(command, known),
        *reasons,
        *_faults(command.settings, work.unit.now),
        *_used(work, command),
    ]:
        rejected = CommandRejected(
            shop=command.shop,
            command_id=received.envelope.id,
            command_type=received.envelope.type,
            reasons=reasons,
        )
        work.unit.emit(rejected, cause=received.envelope)
        return
    switched_on_at = _switched_on(command.settings, known, work.unit.now)
    kept = known.logo if known is not None and command.keeps_logo else None
    changed = Invoicing(
        shop=command.shop,
        version=work.unit.restored.next_version(command.version),
        settings=command.settings,
        since=_since(command.settings, switched_on_at),
        changed_by=command.actor,
        changed_at=work.unit.now,
        switched_on_at=switched_on_at,
        logo=kept if command.keeps_logo or logo is None else hashlib.sha256(logo).hexdigest(),
        is_announced=may_issue(command.settings),
    )
    work.sales.change_invoicing(changed, missing(command.settings), logo)
    work.unit.emit(settings_event_of(changed), cause=received.envelope)


def reissue_invoice(work: AccountUnit, received: ReceivedMessage[ReissueInvoice]) -> None:
    """Request an order's invoice, or answer with every reason against it. The worker issues it and answers."""
    command = received.message
    account = account_of(work, received)
    if account is None:
        return None
    is_kept, is_requested = work.sales.askable.get((command.shop, command.order_id), (False, False))
    unready = _unreadable(work, command.shop) or _unready(
        work.sales.invoicing.get(command.shop), command.shop
    )
    reasons = [*deleted(account), *unready]
    if not is_kept and not reasons:
        text = f"order {account.code} was placed before invoices were kept here; issue it by hand"
        reasons.append(Reason(code="sale_unknown", message=text, field="order_id"))
    if is_requested:
        text = f"the invoice of order {account.code} is being issued; wait for it"
        reasons.append(Reason(code="invoice_being_issued", message=text, field="order_id"))
    if owed_minor(account) <= 0:
        text = f"nothing is due on order {account.code}; there is nothing to invoice"
        reasons.append(Reason(code="nothing_to_invoice", message=text, field="order_id"))
    if reasons:
        return reject(work, received, reasons)
    work.sales.ask_invoice(account, wish_of(received.envelope, command.reason, command.actor))
    return None


def _unreadable(work: AccountUnit, shop: str) -> list[Reason]:
    """Return why nothing can be done by settings that are stored and can't be read; they are never replaced."""
    if shop not in work.sales.unreadable:
        return []
    text = (
        f"the stored invoicing settings of shop {shop} can't be read by this version of payments; start the version "
        "that stored them"
    )
    return [Reason(code="settings_unreadable", message=text)]


def _stale(command: ChangeInvoicing, known: Invoicing | None) -> list[Reason]:
    version = known.version if known else 0
    if command.version == version:
        return []
    text = (
        f"the settings have version {version}, not {command.version}; read them again and repeat the change"
    )
    return [Reason(code="version_differs", message=text, field="version")]


def _switched_on(settings: InvoicingSettings, known: Invoicing | None, now: datetime) -> datetime | None:
    """Return when invoicing was first switched on; None while it never was."""
    return (known.switched_on_at if known else None) or (now if settings.is_on else None)


def _since(settings: InvoicingSettings, switched_on_at: datetime | None) -> datetime | None:
    """Return from when orders are invoiced: the chosen day, else when invoicing was first switched on."""
    if settings.first_day is None:
        return switched_on_at
    return datetime.combine(settings.first_day, time(), ZoneInfo(settings.time_zone))


def _faults(settings: InvoicingSettings, now: datetime) -> list[Reason]:
    reasons = []
    try:
        ZoneInfo(settings.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        text = f"time zone {settings.time_zone!r} is unknown; choose one such as Europe/Paris"
        reasons.append(Reason(code="time_zone_unknown", message=text, field="settings.time_zone"))
    if settings.first_day is not None and not FIRST_DAY <= settings.first_day <= LAST_DAY:
        text = f"the first day is {settings.first_day}; choose one from {FIRST_DAY} to {LAST_DAY}"
        reasons.append(Reason(code="date_out_of_range", message=text, field="settings.first_day"))
    elif settings.first_day is not None and settings.first_day > (latest := _a_year_after(now, settings)):
        text = (
            f"the first day {settings.first_day} is more than a year ahead, so no order would be invoiced until then; "
            f"choose one up to {latest}, or none to invoice from when invoicing was first switched on"
        )
        reasons.append(Reason(code="first_day_too_far", message=text, field="settings.first_day"))
    if settings.invoice_prefix == settings.credit_note_prefix:
        text = "invoices and credit notes need different prefixes, since their numbers are counted apart"
        reasons.append(Reason(code="prefixes_equal", message=text, field="settings.credit_note_prefix"))
    return [*reasons, *refused(settings)]


def _a_year_after(now: datetime, settings: InvoicingSettings) -> date:
    """Return the last first day that may be chosen now, in the shop's time zone; a later one is a typing mistake."""
    try:
        today = now.astimezone(ZoneInfo(settings.time_zone)).date()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        today = now.date()
    is_leap_day = (today.month, today.day) == (2, 29)
    return date(today.year + 1, 3, 1) if is_leap_day else today.replace(year=today.year + 1)


def _used(work: AccountUnit, command: ChangeInvoicing) -> list[Reason]:
    """Return the reasons against prefixes with which documents of the other kind are numbered already."""
    issued, settings = work.sales.prefixes.get(command.shop, set()), command.settings
    pairs = (
        ("invoice_prefix", settings.invoice_prefix, InvoiceKind.CREDIT_NOTE, "credit notes"),
        ("credit_note_prefix", settings.credit_note_prefix, InvoiceKind.INVOICE, "invoices"),
    )
    return [
        Reason(
            code="prefix_used",
            message=f"issued {others} have numbers that begin with {prefix}; choose another prefix",
            field=f"settings.{name}",
        )
        for name, prefix, kind, others in pairs
        if (kind.value, prefix) in issued
    ]


def _logo(settings: InvoicingSettings) -> tuple[bytes | None, list[Reason]]:
    if not settings.logo:
        return None, []
    try:
        logo = base64.b64decode(settings.logo, validate=True)
    except (binascii.Error, ValueError):
        logo = b""
    if logo.startswith(_PICTURES):
        return logo, []
    text = "the logo is neither a PNG nor a JPEG picture in base64; send one of at most 110 kB"
    return None, [Reason(code="logo_unreadable", message=text, field="settings.logo")]


def _unready(invoicing: Invoicing | None, shop: str) -> list[Reason]:
    if invoicing is None or not invoicing.settings.is_on:
        text = f"invoices are not switched on for shop {shop}; do so in its settings"
        return [Reason(code="invoicing_off", message=text)]
    reasons = []
    if lacking := missing(invoicing.settings):
        text = f"mentions are missing that every invoice must bear: {', '.join(lacking)}; fill them in"
        reasons.append(Reason(code="mentions_missing", message=text))
    if wrong := invalid(invoicing.settings):
        names = ", ".join(_field(one) for one in wrong)
        sentences = " ".join(f"{_field(one)}: {one.message}" for one in wrong)
        text = f"mentions of the shop are wrong: {names}; {sentences}"
        reasons.append(Reason(code="mentions_invalid", message=text[:1000]))
    return reasons


def _field(wrong: Reason) -> str:
    return (wrong.field or "").removeprefix("settings.")
