"""Every flag and every status that an order can have has words and a colour on its page."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.sale import Module, PaymentMethod
from services import payments
from services.orders.backoffice.language import statuses
from services.orders.backoffice.language.translating import PageLocale, using_locale
from services.orders.order import attention
from services.orders.order.fulfilment_status import FulfilmentStatus
from services.orders.order.payment_status import PaymentStatus

ACCOUNTS = Path(payments.__file__).parent / "accounts"


def raised_by_payments() -> Iterator[str]:
    """Every text in a function of payments that makes flags, by itself or as a constant of its module."""
    for path in ACCOUNTS.glob("*.py"):
        module = ast.parse(path.read_text())
        constants = {
            target.id: node.value.value
            for node in module.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for made in ast.walk(module):
            if isinstance(made, ast.FunctionDef) and made.name in ("flags", "_flags"):
                for part in made.body[1:]:
                    for node in ast.walk(part):
                        if isinstance(node, ast.Constant) and isinstance(node.value, str):
                            yield node.value
                        elif isinstance(node, ast.Name) and node.id in constants:
                            yield str(constants[node.id])


def raised_by_orders() -> Iterator[str]:
    """Every flag that orders makes of its own facts."""
    return (text for name, text in vars(attention).items() if name.isupper() and isinstance(text, str))


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_flag_has_words(language: str) -> None:
    raised = {*raised_by_payments(), *raised_by_orders()}
    assert {"refund_failed", "refund_differs", "disputed", "stock_missing", "payment_shared"} <= raised
    with using_locale(PageLocale(language)):
        badges = statuses.flag_badges()
    assert raised <= set(badges)
    assert all(text and "_" not in text for text, _ in badges.values())


def test_every_status_has_words() -> None:
    with using_locale(PageLocale("en")):
        assert set(statuses.payment_badges()) == set(PaymentStatus)
        assert set(statuses.fulfilment_badges()) == set(FulfilmentStatus)
        assert set(PaymentMethod) <= set(statuses.method_words())
        assert set(statuses.module_words()) == set(Module)
