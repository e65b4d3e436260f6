"""One HTTP edge: only services/chassis/http makes applications, reads bearer tokens and encodes cursors."""

import ast
from collections.abc import Callable
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EDGE = ROOT / "services" / "chassis" / "http"
STAND_INS = ROOT / "deploy" / "demo" / "standins"
"""Servers of other companies that the demo plays: their edge is not ours."""
COMPARING = {"services/orders/backoffice/access/known_browsers.py": "a signed cookie"}
SIGNATURES = "services/payments/providers/"
"""Signatures of webhooks are compared there."""
ENCODING = {"services/orders/backoffice/web/page_context.py": "a message in a cookie"}


@cache
def _sources() -> dict[str, list[ast.AST]]:
    """Return the syntax nodes that the tests check, for every file outside the edge."""
    return {
        path.relative_to(ROOT).as_posix(): [
            node
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call | ast.Subscript | ast.Constant | ast.keyword)
        ]
        for part in ("services", "deploy")
        for path in sorted((ROOT / part).rglob("*.py"))
        if EDGE not in path.parents and STAND_INS not in path.parents
    }


def _callers(*names: str) -> set[str]:
    """Return the files that call a function or class of one of these names."""
    return {
        path
        for path, nodes in _sources().items()
        for node in nodes
        if isinstance(node, ast.Call) and _name(node.func) in names
    }


def _name(called: ast.expr) -> str:
    return (
        called.attr
        if isinstance(called, ast.Attribute)
        else called.id
        if isinstance(called, ast.Name)
        else ""
    )


def _files(fits: Callable[[ast.AST], bool]) -> set[str]:
    return {path for path, nodes in _sources().items() if any(map(fits, nodes))}


def _reads_a_token(node: ast.AST) -> bool:
    """Return whether a node reads the `Authorization` header: `….get("authorization")`, `…["authorization"]`."""
    if isinstance(node, ast.Call) and _name(node.func) in ("get", "getlist"):
        return any(_is_authorization(one) for one in node.args)
    is_read = isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)
    return is_read and _is_authorization(node.slice)  # type: ignore[attr-defined]


def _is_authorization(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and str(node.value).lower() == "authorization"


def test_the_test_sees_what_it_forbids() -> None:
    for source in ('h.get("Authorization", "")', 'h["authorization"]'):
        assert any(_reads_a_token(node) for node in ast.walk(ast.parse(source)))
    assert not any(_reads_a_token(node) for node in ast.walk(ast.parse('{"Authorization": "Bearer x"}')))
    assert {"services/payments/api.py", "deploy/auditor/serving.py"} <= _callers("routed")


def test_only_the_edge_makes_applications() -> None:
    assert _callers("FastAPI", "Starlette") == set()
    assert _callers("HTTPBearer") == {"services/orders/api/edges.py"}, "the document alone"


def test_only_the_edge_reads_bearer_tokens() -> None:
    assert _files(_reads_a_token) == set()
    found = {path for path in _callers("compare_digest") if not path.startswith(SIGNATURES)}
    assert found == set(COMPARING)


def test_only_the_edge_encodes_cursors() -> None:
    found = _callers("urlsafe_b64encode", "urlsafe_b64decode") | _files(
        lambda node: isinstance(node, ast.keyword) and node.arg == "altchars"
    )
    assert found == set(ENCODING)


def test_only_the_edge_puts_problems_together() -> None:
    assert _files(lambda node: isinstance(node, ast.Constant) and "problem+json" in str(node.value)) == set()
    pages = {"services/orders/backoffice/app.py", "services/notifier/page/app.py"}
    assert _callers("add_exception_handler") == pages, "pages for browsers"
