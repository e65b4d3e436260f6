"""Numbers of invoices: a series per shop, kind and calendar year, from 1 without gaps. Pure.

A gap suggests a hidden sale; the law wants a continuous sequence (CGI, annexe II, art. 242 nonies A, I-7°). So a
number is taken from the series' locked row (`store.allocate`) in the transaction that stores the invoice.
"""

from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from contracts.payments.invoices import InvoiceKind, InvoicingSettings

DIGITS = 5


class Series(NamedTuple):
    """A sequence of numbers. The year is the shop's own calendar year."""

    shop: str
    kind: InvoiceKind
    year: int


def issue_day(now: datetime, settings: InvoicingSettings) -> date:
    """Return the day on which a document issued now is dated: the shop's."""
    return now.astimezone(ZoneInfo(settings.time_zone)).date()


def written(series: Series, number: int, settings: InvoicingSettings) -> str:
    """Return a number as it is printed: F2026-00042. After 99999 it grows longer."""
    is_invoice = series.kind is InvoiceKind.INVOICE
    prefix = settings.invoice_prefix if is_invoice else settings.credit_note_prefix
    return f"{prefix}{series.year}-{number:0{DIGITS}}"
