"""What a run of the demo plays: a merchant, its stock and sales, and what was turned away before they
were made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from contracts.fulfillment.stock import StockLevel
from deploy.demo.sales.carts import Cart, left_carts, with_carts
from deploy.demo.sales.orders import demo_sales, demo_stock
from deploy.demo.sales.retail import RejectedInvoice, read_invoices
from deploy.demo.sales.sale import Sale
from deploy.demo.sales.stories import with_lost_webhook, with_refunds
from deploy.demo.sales.unknown_addresses import with_unknown_address
from deploy.samples.merchants import GARANCE, TRUMPET, Merchant


@dataclass(frozen=True)
class Script:
    """Everything is decided before it begins. `carts` by the sale they become; nobody submits those `left`."""

    merchant: Merchant
    stock: Sequence[StockLevel]
    sales: Sequence[Sale]
    rejected: Sequence[RejectedInvoice] = field(default=())
    carts: Mapping[UUID, Cart] = field(default_factory=dict)
    left: Sequence[Cart] = field(default=())

    @property
    def placed(self) -> list[Sale]:
        """The sales that must become orders."""
        return [sale for sale in self.sales if sale.is_placed]

    @property
    def submissions(self) -> int:
        """How many orders were asked for: all sales but repeats, and all invoices that were turned away."""
        return sum(sale.repeats is None for sale in self.sales) + len(self.rejected)


def write_script(orders_file: Path | None) -> Script:
    """The demo's own orders, or those of a CSV file. Raises NotTheFormat, OSError."""
    if orders_file is None:
        sales, carts = with_carts(with_lost_webhook(with_refunds(with_unknown_address(demo_sales()))))
        left = left_carts(sales, datetime.now(UTC))
        return Script(GARANCE, demo_stock(), sales, carts=carts, left=left)
    made = read_invoices(orders_file)
    return Script(TRUMPET, made.stock(), with_lost_webhook(with_refunds(made.sales)), made.rejected)
