"""Real invoices as orders: the CSV of the Online Retail set becomes submissions of our one contract.

Columns: InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice (pounds), CustomerID, Country.

Every invoice is either submitted or turned away here, never dropped. Turned away is only what the contract
has no words for: an invoice without a customer, a cancellation of charges alone, one that sells nothing, a
price below a penny. Everything else is submitted as it stands, cancellations of goods too, and Comptoir
judges it. Names, addresses and mail addresses are made up.
"""

import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from pydantic import ValidationError

from contracts.envelope import uuid7
from contracts.fulfillment.stock import StockLevel
from contracts.message import Reason
from contracts.sale import (
    Address,
    Customer,
    ExtraLine,
    LineKind,
    Module,
    PaymentChoice,
    PaymentMethod,
    SubmittedLine,
)
from contracts.storefront import OrderSubmitted
from deploy.demo.sales.countries import COUNTRY_CODES, UNKNOWN_COUNTRY
from deploy.demo.sales.retail_rows import CURRENCY, NotTheFormat, Row, read_rows
from deploy.demo.sales.sale import Sale
from deploy.demo.sales.stories import with_fitting_story
from deploy.samples.merchants import TRUMPET
from deploy.samples.orders import choice
from deploy.samples.people import MAIL_DOMAIN
from deploy.samples.submissions import line, submission

_FRENCH_SPEAKING = frozenset({"FR"})


@dataclass(frozen=True)
class RejectedInvoice:
    """An invoice that can't be an order, with every reason at once."""

    invoice: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Import:
    """What became of a file: invoices = sales + turned away."""

    sales: list[Sale]
    rejected: list[RejectedInvoice]

    @property
    def invoices(self) -> int:
        return len(self.sales) + len(self.rejected)

    def stock(self) -> list[StockLevel]:
        """Exactly as many on hand of every SKU as all submitted lines need."""
        needed: Counter[str] = Counter()
        for sale in self.sales:
            for each in sale.submission.lines:
                needed[each.sku or ""] += max(each.quantity, 0)
        return [StockLevel(sku=sku, on_hand=units) for sku, units in sorted(needed.items())]


def read_invoices(path: Path) -> Import:
    """All invoices of a CSV file (UTF-8, or Latin-1 as the data set is often exported), in its sequence.

    Raises NotTheFormat, also when there is no invoice in it; OSError.
    """
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    made = convert(read_rows(io.StringIO(text, newline="")))
    if not made.sales and not made.rejected:
        raise NotTheFormat("there is no order in it, only the first line")
    return made


def convert(rows: Iterable[Row]) -> Import:
    """Group rows by invoice and make a sale of each, or say why not."""
    invoices: dict[str, list[Row]] = {}
    for row in rows:
        invoices.setdefault(row.invoice, []).append(row)
    made = Import([], [])
    for invoice, of_it in invoices.items():
        if reasons := why_not(of_it):
            made.rejected.append(RejectedInvoice(invoice, reasons))
            continue
        try:
            made.sales.append(sale_of(of_it))
        except ValidationError as error:
            made.rejected.append(RejectedInvoice(invoice, _unfit(invoice, error)))
    return made


def why_not(rows: list[Row]) -> tuple[Reason, ...]:
    """Why the contract has no words for these rows of one invoice; empty when it may be submitted."""
    invoice = rows[0].invoice
    goods = [row for row in rows if not row.is_charge]
    takes_goods_back = bool(goods) and all(row.quantity < 0 for row in goods)
    reasons = []
    if invoice.startswith("C") and not (takes_goods_back and rows[0].customer):
        text = f"invoice {invoice} cancels an order that Comptoir never had; cancel it where it was placed"
        reasons.append(Reason(code="cancellation_without_order", message=text))
    if not rows[0].customer:
        text = f"invoice {invoice} names no customer; an order needs somebody to send it to"
        reasons.append(Reason(code="customer_missing", message=text, field="CustomerID"))
    if goods and not takes_goods_back and not any(row.quantity > 0 and row.unit_price > 0 for row in goods):
        text = f"invoice {invoice} has only negative or zero lines ({len(goods)}); nothing is sold by it"
        reasons.append(Reason(code="nothing_sold", message=text, field="Quantity"))
    if below := [row for row in rows if row.is_below_a_penny]:
        text = f"invoice {invoice}: {below[0].code} costs {CURRENCY} {below[0].unit_price}; round it to pence"
        reasons.append(Reason(code="price_too_precise", message=text, field="UnitPrice"))
    return tuple(reasons)


def sale_of(rows: list[Row]) -> Sale:
    """The sale of one invoice. Raises pydantic's ValidationError when the contract can't hold it."""
    chance = Random(f"{rows[0].invoice}")
    submitted = _submitted(chance, rows)
    refusals = expected_refusals(submitted)
    sale = Sale(uuid7(), submitted, refusals=refusals)
    return sale if refusals else with_fitting_story(chance, sale)


def expected_refusals(submitted: OrderSubmitted) -> frozenset[str]:
    """What Comptoir must object to in an invoice that the contract can hold."""
    quantities = [each.quantity for each in submitted.lines]
    found = set()
    if not quantities:
        found.add("no_lines")
    elif all(quantity < 0 for quantity in quantities):
        found.add("cancellation_without_order")
    elif any(quantity <= 0 for quantity in quantities):
        found.add("quantity_not_positive")
    if submitted.totals.total_minor < 0:
        found.add("total_negative")
    return frozenset(found)


def _submitted(chance: Random, rows: list[Row]) -> OrderSubmitted:
    first = rows[0]
    lines = [_goods(row) for row in rows if not row.is_charge]
    extras = [_charge(row) for row in rows if row.is_charge]
    due = sum(row.amount_minor for row in rows)
    country = COUNTRY_CODES.get(first.country, UNKNOWN_COUNTRY)
    buyer = Customer(name=f"Customer {first.customer}", email=f"customer.{first.customer}@{MAIL_DOMAIN}")
    home = _home(first, country)
    return submission(
        lines=lines,
        extra_lines=extras,
        submitted_at=first.sold_at,
        shop=TRUMPET.shop,
        module=Module.SHOP,
        idempotency_key=f"invoice-{first.invoice}",
        source_reference=first.invoice,
        locale="fr" if country in _FRENCH_SPEAKING else "en",
        currency=CURRENCY,
        payment=_payment(chance, first.customer, due),
        customer=buyer,
        billing_address=home,
        shipping_address=home,
    )


def _goods(row: Row) -> SubmittedLine:
    return line(LineKind.SHIP, row.description or row.code, row.quantity, row.unit_price_minor, sku=row.code)


def _charge(row: Row) -> ExtraLine:
    label = row.description or row.code
    return ExtraLine(
        label=label if row.quantity in (1, -1) else f"{label} × {row.quantity}", amount_minor=row.amount_minor
    )


def _home(row: Row, country: str) -> Address:
    number = int(row.customer) if row.customer.isdigit() else 0
    return Address(
        name=f"Customer {row.customer}",
        street=f"{number % 180 + 1} Made-up Street",
        postal_code=f"{number % 100_000:05d}",
        city=row.country,
        country=country,
    )


def _payment(chance: Random, customer: str, due_minor: int) -> PaymentChoice:
    """A customer always pays the same way; an invoice over nothing needs no payment."""
    if due_minor == 0:
        return PaymentChoice(method=PaymentMethod.FREE)
    habit = Random(customer).choices(
        (PaymentMethod.CARD, PaymentMethod.PAYPAL, PaymentMethod.TRANSFER, PaymentMethod.CHEQUE),
        (45, 15, 30, 10),
    )[0]
    return choice(chance, habit)


def _unfit(invoice: str, error: ValidationError) -> tuple[Reason, ...]:
    return tuple(
        Reason(
            code="does_not_fit_the_contract",
            message=f"invoice {invoice}: {problem['msg']}"[:1000],
            field=".".join(str(part) for part in problem["loc"])[:200],
        )
        for problem in error.errors()
    )
