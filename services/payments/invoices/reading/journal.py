"""Files for the accountant: the series as CSV, and the sales journal in the form of the French FEC. Pure.

The journal has the 18 columns of art. A47 A-1 of the Livre des procédures fiscales, tab-separated, dates as
YYYYMMDD, amounts with a comma. Each document is a balanced entry: the customer against sales and VAT per rate.
It is an extract for the accountant to import, not the whole FEC of a year.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from contracts.money import to_decimal
from contracts.payments.invoices import InvoiceKind
from services.chassis.identifiers.numbers import compact
from services.payments.invoices.document import Content, Item

COLUMNS = (
    "JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib", "CompAuxNum",
    "CompAuxLib", "PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit", "EcritureLet", "DateLet",
    "ValidDate", "Montantdevise", "Idevise",
)  # fmt: skip
CSV_COLUMNS = (
    "number", "kind", "corrects", "issued_on", "sold_on", "order", "customer", "country", "vat_number", "currency",
    "net", "tax", "total", "vat_rates",
)  # fmt: skip
_CUSTOMERS = ("411000", "Clients")
_GOODS, _SERVICES = ("707000", "Ventes de marchandises"), ("706000", "Prestations de services")
_SHIPPING = ("708500", "Ports et frais accessoires facturés")
_VAT = ("445710", "TVA collectée")


def journal_header() -> str:
    """Return the journal's first line."""
    return "\t".join(COLUMNS) + "\r\n"


def journal_lines(content: Content) -> str:
    """Return the lines of one document; debits equal credits."""
    return "".join("\t".join(values) + "\r\n" for values in _entries(content))


def _entries(content: Content) -> Iterator[Sequence[str]]:
    is_invoice = content.kind is InvoiceKind.INVOICE
    label = f"{'Facture' if is_invoice else 'Avoir'} {content.number} {_customer(content)}"
    yield _entry(
        content,
        _CUSTOMERS,
        content.total_minor if is_invoice else -content.total_minor,
        label,
        is_customer=True,
    )
    sign = -1 if is_invoice else 1
    sums: dict[tuple[str, str], int] = {}
    for item in content.items:
        account = _account(content, item)
        sums[account] = sums.get(account, 0) + item.net_minor
        if item.tax_minor:
            rate = " + ".join(f"{Decimal(tax.rate_ppm) / 10_000:f} %" for tax in item.taxes)
            vat = (_VAT[0], f"{_VAT[1]} {rate}")
            sums[vat] = sums.get(vat, 0) + item.tax_minor
    for account, amount in sums.items():
        if amount:
            yield _entry(content, account, sign * amount, label)


def _account(content: Content, item: Item) -> tuple[str, str]:
    if item.role == "shipping":
        return _SHIPPING
    return _SERVICES if content.nature == "services" else _GOODS


def _entry(
    content: Content, account: tuple[str, str], debit_minor: int, label: str, *, is_customer: bool = False
) -> list[str]:
    """Return one line; a negative debit is a credit."""
    day, amount = _day(content.issued_on), _amount(abs(debit_minor), content.currency)
    foreign = content.currency != "EUR"
    return [
        "VE", "Journal des ventes", content.number, day, account[0], account[1],
        f"C{content.code}" if is_customer else "", _customer(content) if is_customer else "",
        content.number, day, label,
        amount if debit_minor > 0 else "0,00", amount if debit_minor <= 0 else "0,00",
        "", "", day,
        _amount(debit_minor, content.currency) if foreign else "", content.currency if foreign else "",
    ]  # fmt: skip


def csv_header() -> str:
    """Return the list's first line, with the mark by which spreadsheets know UTF-8."""
    return "\ufeff" + _csv(CSV_COLUMNS)


def csv_line(content: Content) -> str:
    """Return one document's line; the amounts of a credit note are negative."""
    sign = 1 if content.kind is InvoiceKind.INVOICE else -1
    minor = (content.net_minor, content.tax_minor, content.total_minor)
    amounts = [str(to_decimal(sign * one, content.currency)) for one in minor]
    address = content.buyer.address
    rates = "; ".join(
        f"{Decimal(group.rate_ppm) / 10_000:f} %: {to_decimal(sign * group.net_minor, content.currency)} + "
        f"{to_decimal(sign * group.tax_minor, content.currency)}"
        for group in content.groups
    )
    return _csv(
        [
            content.number, content.kind.value, content.corrects or "", content.issued_on.isoformat(),
            content.sold_on.isoformat(), content.code, content.buyer.company or content.buyer.name,
            address.country if address else "", compact(content.buyer.vat_number or ""), content.currency,
            *amounts, rates,
        ]
    )  # fmt: skip


def _csv(values: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(map(_inert, values))
    return out.getvalue()


def _inert(value: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    is_number = value.removeprefix("-").replace(".", "", 1).isdecimal()
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") and not is_number else value


def _customer(content: Content) -> str:
    return _plain(content.buyer.company or content.buyer.name)


def _plain(text: str) -> str:
    """Return a text without the signs that separate columns and lines."""
    return " ".join(text.split())


def _day(day: date) -> str:
    return day.strftime("%Y%m%d")


def _amount(minor: int, currency: str) -> str:
    return str(to_decimal(minor, currency)).replace(".", ",")
