"""Reading the Online Retail CSV: rows with their types, and which of them are money without goods."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from contracts.money import AmountTooPrecise, from_decimal
from deploy.samples.merchants import TRUMPET

CURRENCY = "GBP"
COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
CHARGES = frozenset(
    {
        "POST",
        "DOT",
        "C2",
        "C3",
        "M",
        "D",
        "S",
        "B",
        "BANK CHARGES",
        "AMAZONFEE",
        "CRUK",
        "PADS",
        "ADJUST",
        "ADJUST2",
    }
)
"""Stock codes that are postage, carriage, manual entries, discounts, samples or fees."""
_ZONE = ZoneInfo(TRUMPET.profile["time_zone"])


class NotTheFormat(ValueError):
    """The file is no Online Retail CSV; says which line and what is wrong with it."""


@dataclass(frozen=True)
class Row:
    """One line of an invoice; `unit_price` in pounds as the file has it."""

    invoice: str
    code: str
    description: str
    quantity: int
    unit_price: Decimal
    sold_at: datetime
    customer: str
    country: str

    @property
    def is_charge(self) -> bool:
        """Whether it is money beside the goods; gift vouchers have nothing to pack either."""
        return self.code.upper() in CHARGES or self.code.lower().startswith("gift")

    @property
    def is_below_a_penny(self) -> bool:
        """Whether the price has digits that pence cannot hold."""
        try:
            from_decimal(self.unit_price, CURRENCY)
        except AmountTooPrecise:
            return True
        return False

    @property
    def unit_price_minor(self) -> int:
        """Pence. Raises AmountTooPrecise."""
        return from_decimal(self.unit_price, CURRENCY)

    @property
    def amount_minor(self) -> int:
        """Pence for the whole row."""
        return self.quantity * self.unit_price_minor


def read_rows(lines: Iterable[str]) -> Iterator[Row]:
    """The rows of a CSV. Raises NotTheFormat at the first that cannot be read."""
    reader = csv.DictReader(lines)
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
    if missing:
        raise NotTheFormat(f"no column {', '.join(missing)}; the first line must be {','.join(COLUMNS)}")
    for record in reader:
        try:
            yield _row(record)
        except (ValueError, InvalidOperation, AttributeError, TypeError) as error:
            raise NotTheFormat(f"line {reader.line_num}: {type(error).__name__} {error}") from error


def _row(record: dict[str, str]) -> Row:
    price = Decimal(record["UnitPrice"])
    if not price.is_finite():
        raise ValueError(f"UnitPrice {price} is no amount")
    return Row(
        invoice=record["InvoiceNo"].strip(),
        code=record["StockCode"].strip(),
        description=record["Description"].strip(),
        quantity=int(record["Quantity"]),
        unit_price=price,
        sold_at=datetime.fromisoformat(record["InvoiceDate"].strip()).replace(tzinfo=_ZONE),
        customer=record["CustomerID"].strip().removesuffix(".0"),
        country=record["Country"].strip(),
    )
