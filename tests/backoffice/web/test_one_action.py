"""One mechanism for what forms change: every POST carries it out by `web/actions`, no page has a way of its own."""

import ast
from collections.abc import Callable, Iterator
from functools import cache
from inspect import unwrap
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

from services.orders import backoffice
from services.orders.api.actions.action import Actions
from services.orders.backoffice.web.actions import action
from services.orders.backoffice.web.routing import Page, found_in

ROOT = Path(backoffice.__file__).parent
POSTS = [page for page in found_in(backoffice)[0] if page.method == "POST"]
ENDS = (action.carry_out, action.do, action.perform)
WITHOUT_AN_ACTION = {
    "/sign-in",
    "/sign-out",
    "/invitation/{token}",
    "/account/password",
    "/account/sessions/end",
    "/account/sessions/{session}/end",
    "/preferences",
    "/settings/providers/{slug}/test",
    "/settings/staff/{person}/invite",
    "/orders/pack",
    "/orders/cancel",
    "/orders/ship",
    "/orders/display",
    "/orders/export",
    "/orders/print",
    "/orders/runs/{run}/start",
    "/orders/runs/{run}/stop",
    "/orders/{order}/status-preview",
    "/orders/{order}/conversation/draft",
    "/orders/{order}/cancellation-mail",
    "/settings/mails/{wording}/{locale}/preview",
    "/settings/profile/preview",
}
"""POSTs that change no business data: sessions, preferences, drafts, previews, tests, files. A bulk run has an id."""
CATCH_WHAT_WAS_TYPED = {
    "mails/pages.py",
    "operations/messages/lost_pages.py",
    "operations/messages/replay_pages.py",
    "operations/messages/resync_pages.py",
    "order/changes/refund_pages.py",
    "orders/bulk/run_pages.py",
    "orders/bulk/ship_pages.py",
    "payments/invoice_pages.py",
    "payments/pages.py",
    "payments/webhook_pages.py",
    "settings/carrier_pages.py",
    "settings/profile_pages.py",
    "stock/pages.py",
}
"""Pages that read filters of a list, a preview or a part of a form, none of which carries anything out."""


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _names(const)


@cache
def _reached(function: Callable[..., Any]) -> frozenset[Callable[..., Any]]:
    """The functions of the back office that this one names, with those that these name."""
    found: set[Callable[..., Any]] = set()
    todo: list[Any] = [function]
    while todo:
        one = todo.pop()
        one = unwrap(one) if callable(one) else one
        if not isinstance(one, FunctionType) or one in found:
            continue
        found.add(one)
        if one not in ENDS and one.__module__.startswith(backoffice.__name__):
            todo += [one.__globals__[name] for name in _names(one.__code__) if name in one.__globals__]
    return frozenset(found)


@pytest.mark.parametrize("page", POSTS, ids=lambda page: page.path)
def test_every_post_carries_out_an_action_of_the_one_kind(page: Page) -> None:
    carries_out = bool(_reached(page.view) & set(ENDS))
    assert carries_out == (page.path not in WITHOUT_AN_ACTION)


def test_the_list_of_other_posts_names_only_what_exists() -> None:
    assert {page.path for page in POSTS} >= WITHOUT_AN_ACTION


def _files() -> list[tuple[str, ast.Module]]:
    return [(str(path.relative_to(ROOT)), ast.parse(path.read_text())) for path in sorted(ROOT.rglob("*.py"))]


def test_no_page_shows_a_rejected_form_in_a_way_of_its_own() -> None:
    closures, catchers = [], set()
    for name, module in _files():
        functions = [one for one in ast.walk(module) if isinstance(one, ast.AsyncFunctionDef)]
        for function in functions:
            closures += [
                f"{name}: {inner.name}"
                for inner in ast.walk(function)
                if isinstance(inner, ast.AsyncFunctionDef) and inner is not function and "again" in inner.name
            ]
        if name.startswith("web/") or not name.endswith("pages.py"):
            continue
        for handler in (one for one in ast.walk(module) if isinstance(one, ast.ExceptHandler)):
            caught = ast.unparse(handler.type) if handler.type else ""
            if "Invalid" in caught:
                catchers.add(name)
    assert closures == []
    assert catchers == CATCH_WHAT_WAS_TYPED


def test_keys_are_claimed_in_one_place() -> None:
    names = {"add_commands", "claim_form", "read_form_hash", "read_keys"}
    orders = ROOT.parent
    users = {
        str(path.relative_to(orders))
        for path in orders.rglob("*.py")
        for one in ast.walk(ast.parse(path.read_text()))
        if isinstance(one, ast.Attribute) and one.attr in names
    }
    assert users == {"api/actions/action.py"}
    assert {"carry_out", "send", "do"} <= vars(Actions).keys()
