"""What storefronts get wrong: each sale here must be refused with the reason it names, or answered as a
repeat.
"""

from collections.abc import Sequence
from typing import Any

from contracts.envelope import uuid7
from contracts.sale import Module, PaymentChoice, PaymentMethod
from deploy.demo.sales.sale import Sale, Story

UNREADABLE = b'{"shop": "atelier-garance", "module": "shop", "lines": "three notebooks"}'
"""Valid JSON that does not fit the schema."""


def mistakes(good: Sequence[Sale]) -> list[Sale]:
    """Made from good sales of the shop, so that only the mistake is wrong with them."""
    shop = [sale for sale in good if sale.module == Module.SHOP and sale.total_minor > 0]
    free = next(sale for sale in shop if sale.submission.locale == "en")
    return [
        _broken(shop[0], "no-method", "payment_method_missing", payment=None),
        _broken(
            shop[1],
            "cent",
            "totals_do_not_add_up",
            totals=shop[1].submission.totals.model_copy(update={"total_minor": shop[1].total_minor + 1}),
        ),
        _broken(
            shop[2], "nothing", "quantity_not_positive", "line_total_wrong", **_none_of_the_first(shop[2])
        ),
        _broken(shop[3], "currency", "currency_unknown", currency="EUX"),
        _broken(free, "free", "free_above_zero", payment=PaymentChoice(method=PaymentMethod.FREE)),
        _repeated(shop[4]),
        _conflicting(shop[5]),
        Sale(uuid7(), shop[6].submission, body=UNREADABLE),
    ]


def _broken(sale: Sale, name: str, *refusals: str, **changes: Any) -> Sale:
    submission = sale.submission.model_copy(update={"idempotency_key": f"mistake-{name}", **changes})
    return Sale(uuid7(), submission, refusals=frozenset(refusals))


def _none_of_the_first(sale: Sale) -> dict[str, Any]:
    first, *others = sale.submission.lines
    return {"lines": [first.model_copy(update={"quantity": 0}), *others]}


def _repeated(sale: Sale) -> Sale:
    """Submitted again as a new event with the same key and content, as after a crash of the storefront."""
    return Sale(uuid7(), sale.submission, story=Story(), repeats=sale.event_id)


def _conflicting(sale: Sale) -> Sale:
    """The same key for something else."""
    changed = sale.submission.model_copy(update={"note": "Another order under a key already used."})
    return Sale(uuid7(), changed, refusals=frozenset({"idempotency_conflict"}))
