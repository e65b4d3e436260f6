"""Erasure in payments: webhooks' content, texts of refunds and disputes, and the buyer of a sale without invoice.

Books are kept as the law wants: the ledger with its references and notes, which its hash chain covers, and
issued invoices with their buyer, with the sale that a credit note would have to repeat.
"""

import json
from collections.abc import Sequence
from typing import Any

from services.chassis.messaging.erasure.erasing import Eraseable, Erasure, redact_body
from services.chassis.messaging.erasure.redacting import Person
from services.chassis.messaging.unit import Unit
from services.payments.accounts.unit import sale_store
from services.payments.webhooks import erasure_store

KEPT = (
    "ledger_entry",
    "attempt",
    "remark",
    "dispute_report",
    "dispute_movement",
    "invoice",
    "sale",
)
"""Tables that stay: books and facts, append-only by triggers. Sales without invoice are erased below."""

PAYER_FIELDS = frozenset(
    {
        *(
            "billing_details",
            "customer_details",
            "customer_email",
            "evidence",
            "owner",
            "receipt_email",
            "shipping",
        ),
        *("address", "email", "email_address", "name", "payer", "payment_source", "phone", "phone_number"),
    }
)
"""Fields of Stripe's and PayPal's objects that hold a payer's data, wherever they stand."""


def without_payer(document: Any) -> Any:
    """Return a provider's object without its payer's data."""
    if isinstance(document, dict):
        return {key: without_payer(value) for key, value in document.items() if key not in PAYER_FIELDS}
    return [without_payer(one) for one in document] if isinstance(document, list) else document


def _redacted(body: bytes, person: Person) -> bytes:
    """Return a webhook's body as it may stay while staff have yet to decide about it."""
    redacted = redact_body(body, person)
    document = json.loads(redacted)
    shown = without_payer(document)
    return (
        redacted
        if shown == document
        else json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode()
    )


async def _texts(unit: Unit, pass_: Erasure) -> Sequence[Any]:
    keys = [(pass_.shop, order_id) for order_id in pass_.orders]
    return [json.loads(one) for one in await sale_store.read_contents(unit.connection, keys)]


async def _rest(unit: Unit, pass_: Erasure) -> None:
    keys = [(pass_.shop, order_id) for order_id in pass_.orders]
    pass_.counts["sale"] += await sale_store.count_erasable(unit.connection, keys)
    await sale_store.erase_sales(unit.connection, keys)
    pass_.counts["webhook"] += await erasure_store.clear_ended(
        unit.connection, pass_.shop, pass_.orders, sorted(pass_.person.texts)
    )
    rows = await erasure_store.read_open(unit.connection, pass_.shop, pass_.orders)
    changed = [(one, new) for one, body in rows if (new := _redacted(body, pass_.person)) != body]
    await erasure_store.write_open(unit.connection, changed)
    pass_.counts["webhook"] += len(changed)


ERASEABLE = Eraseable(first="account", kept=KEPT, texts=_texts, rest=_rest)
"""What payments erases beside its tables with rows about orders."""
