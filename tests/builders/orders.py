"""Placed orders as the other services receive them; every value can be replaced, totals follow from the lines."""

from datetime import UTC, datetime
from typing import Any

from contracts.envelope import uuid7
from contracts.orders.changes import ChangeCause, OrderEdited
from contracts.orders.lifecycle import Buyer, OrderDeleted, OrderPlaced, PlacedLine
from contracts.sale import LineKind, Module, PaymentChoice, PaymentMethod
from deploy.samples.submissions import totals

SHOP = "atelier"
CODE = "K7F3-QD9M"
PLACED_AT = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
ACTOR = "marie"


def a_line(number: int = 1, **changes: Any) -> PlacedLine:
    """Return a line of goods: one article at 10,00 €, with its total unless the changes give one."""
    values: dict[str, Any] = {
        "line": number,
        "kind": LineKind.SHIP,
        "description": "Article",
        "sku": f"ARTICLE-{number}",
        "quantity": 1,
        "unit_price_minor": 1000,
        **changes,
    }
    return PlacedLine(**{"total_minor": values["quantity"] * values["unit_price_minor"], **values})


def an_order(*lines: PlacedLine, **changes: Any) -> OrderPlaced:
    """Return an order of these lines, or of one article, by card."""
    values: dict[str, Any] = {
        "shop": SHOP,
        "order_id": uuid7(),
        "code": CODE,
        "module": Module.SHOP,
        "placed_at": PLACED_AT,
        "locale": "fr",
        "currency": "EUR",
        "payment": PaymentChoice(method=PaymentMethod.CARD),
        "customer": Buyer(name="Jeanne Moreau", email="jeanne@example.org"),
        "lines": list(lines) or [a_line()],
        **changes,
    }
    sums = totals(values["lines"], values.get("shipping"), values.get("extra_lines", ()))
    return OrderPlaced(**{"totals": sums, **values})


def edited(
    order: OrderPlaced, change_minor: int = 0, cause: ChangeCause = ChangeCause.EDITED, **changes: Any
) -> OrderEdited:
    """Return an edit of the order by which so much more, or less, is due."""
    values: dict[str, Any] = {
        "shop": order.shop,
        "order_id": order.order_id,
        "code": order.code,
        "edit_id": uuid7(),
        "revision": 2,
        "cause": cause,
        "currency": order.currency,
        "due_change_minor": change_minor,
        "totals": order.totals,
        "lines": order.lines,
        "customer": order.customer,
        "actor": ACTOR,
    }
    return OrderEdited(**{**values, **changes})


def deleted(order: OrderPlaced, **changes: Any) -> OrderDeleted:
    """Return the order's deletion."""
    values: dict[str, Any] = {
        "shop": order.shop,
        "order_id": order.order_id,
        "code": order.code,
        "reason": "Commande de test",
        "actor": ACTOR,
        "deleted_at": PLACED_AT,
    }
    return OrderDeleted(**{**values, **changes})
