"""A document as its page shows it: every text and amount written out in its language. Pure."""

import re
from datetime import date
from decimal import Decimal
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_decimal, format_percent, parse_pattern

from contracts.money import exponent, to_decimal
from contracts.payments.invoices import InvoiceKind
from contracts.sale import Address
from services.chassis.identifiers.numbers import compact, vat_number_form
from services.chassis.identifiers.printable import first_unprintable
from services.payments.invoices.document import Content, Item, Party, Seller, TaxGroup
from services.payments.invoices.rendering.cii import notes
from services.payments.invoices.texts import text

_FINER_DIGITS = 2


def view(content: Content) -> dict[str, Any]:
    """Return everything the page shows, in its order of reading."""
    write = _Writer(content)
    is_credit = content.kind is InvoiceKind.CREDIT_NOTE
    return {
        "lang": write.language,
        "is_credit": is_credit,
        "title": write.text(content.kind.value),
        "number": content.number,
        "day": [content.issued_on.year, content.issued_on.month, content.issued_on.day],
        "author": content.seller.name,
        "facts": _facts(content, write),
        "seller": _seller_lines(content, write),
        "seller_ids": _seller_ids(content.seller, write),
        "blocks": _blocks(content, write),
        "corrects": _corrects(content, write),
        "columns": [
            write.text(name) for name in ("description", "quantity", "unit_price_net", "vat", "line_net")
        ]
        + [write.text("total")],
        "items": [_row(item, write) for item in content.items],
        "tax_columns": [write.text(name) for name in ("rate", "base", "tax")],
        "groups": [_group(group, write) for group in sorted(content.groups, key=_by_rate)],
        "totals": _totals(content, write),
        "mentions": _mentions(content, write),
        "page": write.text("page", page="{page}", pages="{pages}"),
    }


class _Writer:
    """Texts and amounts in a document's language and currency."""

    def __init__(self, content: Content) -> None:
        self.content = content
        self.language = "fr" if content.locale.startswith("fr") else "en"
        self.locale = _locale(content.locale, self.language)
        self.currency = content.currency

    def text(self, name: str, **values: str) -> str:
        return text(name, self.language, **values)

    def money(self, minor: int) -> str:
        digits = exponent(self.currency)
        return self._written(to_decimal(minor, self.currency), digits, digits)

    def price(self, value: Decimal) -> str:
        """Return a unit price, with two more digits than the currency has where it needs them."""
        digits = exponent(self.currency)
        return self._written(value, digits, digits + _FINER_DIGITS)

    def _written(self, value: Decimal, least: int, most: int) -> str:
        """Return an amount as the language writes it, with the digits of ISO 4217 and not those of CLDR."""
        pattern = parse_pattern(self.locale.currency_formats["standard"].pattern)
        pattern.frac_prec = (least, most)
        written = pattern.apply(value, self.locale, currency=self.currency, currency_digits=False)
        return re.sub(r"(?<=[A-Z]{3})(?=\d)", "\u00a0", written)

    def rate(self, ppm: int, label: str | None) -> str:
        percent = format_percent(Decimal(ppm) / 1_000_000, "#,##0.####\u202f%", locale=self.locale)
        return f"{label} {percent}" if label else percent

    def day(self, day: date) -> str:
        """Format a date; of an English without a region in the British way, as in mails and in the back office, and so
        also where the fonts lack the words of the document's language: a date must be readable."""
        british = Locale("en", "GB")
        written = format_date(day, "medium", locale=british if str(self.locale) == "en" else self.locale)
        if first_unprintable(written) is None:
            return written
        return format_date(day, "medium", locale=british)


def _locale(name: str, language: str) -> Locale:
    try:
        return Locale.parse(name.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale.parse(language)


def _facts(content: Content, write: _Writer) -> list[list[str]]:
    facts = [
        [write.text("issued_on"), write.day(content.issued_on)],
        [write.text("sold_on"), write.day(content.sold_on)],
        [write.text("order"), content.code],
    ]
    if content.kind is InvoiceKind.INVOICE:
        if content.due_minor > 0:
            facts.insert(2, [write.text("due_on"), write.day(content.due_on)])
        facts.append([write.text("method"), write.text(f"method_{content.method.value}")])
    return facts


def _seller_lines(content: Content, write: _Writer) -> list[str]:
    """Return the trade name and the address of the seller, with the country unless it is the buyer's too."""
    seller, address = content.seller, content.buyer.address
    city = f"{seller.postal_code} {seller.city}".strip()
    is_same = address is not None and address.country == seller.country
    country = [] if is_same else [_country(seller.country, write.language)]
    trade_name = seller.trade_name if seller.trade_name != seller.name else ""
    lines = (trade_name, seller.street, seller.street_2, city, *country, seller.email, seller.phone)
    return [line for line in lines if line]


def _seller_ids(seller: Seller, write: _Writer) -> str:
    capital = write.text("capital", amount=seller.capital) if seller.capital else ""
    first = " ".join(filter(None, [seller.name, seller.legal_form, capital]))
    siret = f"{write.text('siret')} {_siret(seller.siret)}" if seller.siret else ""
    vat = f"{write.text('vat_number')} {vat_number_form(seller.vat_number)}" if seller.vat_number else ""
    return " · ".join(filter(None, [first, siret, seller.registration, vat]))


def _siret(number: str) -> str:
    siret = compact(number)
    return " ".join((siret[:3], siret[3:6], siret[6:9], siret[9:])) if len(siret) == 14 else siret


def _iban(number: str) -> str:
    """Return an IBAN in groups of four, as ISO 13616 prints it."""
    return " ".join(re.findall(".{1,4}", compact(number)))


def _blocks(content: Content, write: _Writer) -> list[dict[str, Any]]:
    """Return the address blocks: who is billed and, if elsewhere, where the goods went."""
    buyer = content.buyer
    lines = [*_address(buyer.address, write, skip_name=True)] if buyer.address else []
    blocks = [
        {
            "title": write.text("bill_to"),
            "name": buyer.company or buyer.name,
            "lines": _billed(buyer, lines, write),
        }
    ]
    if buyer.delivery is not None:
        delivered = _address(buyer.delivery, write, skip_name=True)
        blocks.append({"title": write.text("deliver_to"), "name": buyer.delivery.name, "lines": delivered})
    return blocks


def _billed(buyer: Party, lines: list[str], write: _Writer) -> list[str]:
    person = [buyer.name] if buyer.company and buyer.name != buyer.company else []
    ids = [_company_id(buyer, write)] if buyer.company_id else []
    if buyer.vat_number:
        ids.append(f"{write.text('vat_number')} {vat_number_form(buyer.vat_number)}")
    return [*person, *lines, *ids]


def _company_id(buyer: Party, write: _Writer) -> str:
    """Return the buyer's number with the name of what it is: SIRET, SIREN, or a number of another register."""
    number = compact(buyer.company_id or "")
    siren, siret = buyer.sirene_numbers
    if siret:
        return f"{write.text('siret')} {_siret(siret)}"
    return f"{write.text('siren' if siren else 'company_id')} {number}"


def _address(address: Address, write: _Writer, *, skip_name: bool) -> list[str]:
    city = f"{address.postal_code or ''} {address.city or ''}".strip()
    country = _country(address.country, write.language)
    lines = [
        "" if skip_name else address.name,
        address.street,
        address.street_2,
        city,
        address.region,
        country,
    ]
    return [line for line in lines if line]


def _country(code: str, language: str) -> str:
    return Locale.parse(language).territories.get(code, code)


def _corrects(content: Content, write: _Writer) -> str:
    if not content.corrects or content.corrects_issued_on is None:
        return ""
    corrected = write.text("corrects", number=content.corrects, date=write.day(content.corrects_issued_on))
    return f"{corrected}. {write.text('reason', text=content.reason)}" if content.reason else corrected


def _row(item: Item, write: _Writer) -> dict[str, Any]:
    details = list(item.details)
    if item.discount_minor:
        name = "discount" if write.content.prices_include_tax else "discount_net"
        details.append(write.text(name, amount=write.money(item.discount_minor)))
    return {
        "description": item.description,
        "details": details,
        "sku": item.sku or "",
        "quantity": format_decimal(item.quantity, locale=write.locale),
        "price": write.price(_net_price(item, write.content)),
        "rate": " + ".join(write.rate(tax.rate_ppm, tax.label) for tax in item.taxes),
        "net": write.money(item.net_minor),
        "total": write.money(item.net_minor + item.tax_minor),
    }


def _net_price(item: Item, content: Content) -> Decimal:
    """Return what one unit costs before tax and discount, in the major unit."""
    price = Decimal(item.unit_price_exact or to_decimal(item.unit_price_minor, content.currency))
    if not content.prices_include_tax:
        return price
    if item.quantity == 1 and not item.discount_minor:
        return to_decimal(item.net_minor, content.currency)
    return price / (1 + Decimal(sum(tax.rate_ppm for tax in item.taxes)) / 1_000_000)


def _group(group: TaxGroup, write: _Writer) -> list[str]:
    return [
        write.rate(group.rate_ppm, group.label),
        write.money(group.net_minor),
        write.money(group.tax_minor),
    ]


def _by_rate(group: TaxGroup) -> int:
    """Return the sort key of tax groups: the highest rate first."""
    return -group.rate_ppm


def _totals(content: Content, write: _Writer) -> list[dict[str, Any]]:
    is_credit = content.kind is InvoiceKind.CREDIT_NOTE
    final = "credited" if is_credit else ("total_exempt" if content.seller.is_exempt else "total")
    rows = [] if content.seller.is_exempt and not content.tax_minor else [
        (write.text("net"), content.net_minor), (write.text("tax_total"), content.tax_minor),
    ]  # fmt: skip
    found = [{"name": name, "amount": write.money(amount), "is_strong": False} for name, amount in rows]
    found.append({"name": write.text(final), "amount": write.money(content.total_minor), "is_strong": True})
    if content.paid_minor and not is_credit:
        paid = "settled" if content.due_minor <= 0 else "paid"
        for name, amount, is_strong in (
            (paid, content.paid_minor, False),
            ("to_pay", max(0, content.due_minor), True),
        ):
            found.append({"name": write.text(name), "amount": write.money(amount), "is_strong": is_strong})
    return found


def _mentions(content: Content, write: _Writer) -> list[str]:
    is_credit = content.kind is InvoiceKind.CREDIT_NOTE
    left_out = ("REG", "ACB", "PMD", "PMT", "AAB") if is_credit else ("REG", "ACB")
    found = [words for code, words in notes(content) if code not in left_out]
    found.append(write.text("nature", text=write.text(f"nature_{content.nature}")))
    if content.exemption_reason:
        found.insert(0, content.exemption_reason)
    if content.seller.iban and content.due_minor > 0 and not is_credit:
        found.append(f"IBAN {_iban(content.seller.iban)}")
    if content.seller.footer:
        found.append(content.seller.footer)
    return found
