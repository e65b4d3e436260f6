"""A sale whose customer mistyped the mail address: the mail server refuses it, and later mails are held."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from deploy.demo.sales.sale import Sale
from deploy.local.mailserver import UNKNOWN_DOMAIN


def with_unknown_address(sales: Sequence[Sale]) -> list[Sale]:
    """The sales, the first of which with an announced parcel has an address that does not exist."""
    keys = Counter(sale.submission.idempotency_key for sale in sales)
    chosen = next(
        (sale for sale in sales if _is_announced(sale) and keys[sale.submission.idempotency_key] == 1), None
    )
    return [_mistyped(sale) if sale is chosen else sale for sale in sales]


def is_unknown(sale: Sale) -> bool:
    """Whether the customer's address does not exist."""
    return sale.recipient.endswith(f"@{UNKNOWN_DOMAIN}")


def _is_announced(sale: Sale) -> bool:
    return sale.is_placed and any(dispatch.notify_customer for dispatch in sale.story.dispatches)


def _mistyped(sale: Sale) -> Sale:
    customer = sale.submission.customer
    email = f"{sale.recipient.partition('@')[0]}@{UNKNOWN_DOMAIN}"
    changed = customer.model_copy(update={"email": email})
    return replace(sale, submission=sale.submission.model_copy(update={"customer": changed}))
