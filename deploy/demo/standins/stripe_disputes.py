"""Disputes at Stripe: a customer's bank takes the money of a payment, and gives it back if the merchant wins.

Written from Stripe's reference: a dispute's events show its balance transactions so far, each with Stripe's fee.
"""

import secrets
import time
from typing import Any

from deploy.demo.sales.sale import Sale

DAYS_TO_ANSWER = 9
FEE_MINOR = 2000
DAY_SECONDS = 86_400
Resource = dict[str, Any]


def opened(sale: Sale) -> Resource:
    """Return the dispute of a sale's whole payment, whose money is withdrawn at once."""
    now = int(time.time())
    currency = sale.submission.currency.lower()
    return {
        "id": f"du_{secrets.token_hex(12)}",
        "object": "dispute",
        "amount": sale.total_minor,
        "balance_transactions": [_moved(-sale.total_minor, FEE_MINOR, currency)],
        "charge": f"ch_{sale.provider_reference[3:]}",
        "created": now,
        "currency": currency,
        "evidence_details": {"due_by": now + DAYS_TO_ANSWER * DAY_SECONDS, "has_evidence": False},
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": sale.provider_reference,
        "reason": "product_not_received",
        "status": "needs_response",
    }


def closed(dispute: Resource, *, is_won: bool) -> Resource:
    """Return a dispute once the bank has decided; a won one gives the money and the fee back."""
    moved = list(dispute["balance_transactions"])
    if is_won:
        moved.append(_moved(dispute["amount"], -FEE_MINOR, dispute["currency"]))
    status = "won" if is_won else "lost"
    return {**dispute, "balance_transactions": moved, "status": status}


def _moved(amount: int, fee: int, currency: str) -> Resource:
    return {
        "id": f"txn_{secrets.token_hex(12)}",
        "object": "balance_transaction",
        "amount": amount,
        "created": int(time.time()),
        "currency": currency,
        "fee": fee,
        "net": amount - fee,
        "type": "adjustment",
    }
