"""Every row of the mission that has a page is named by a test that shows it in the browser."""

import ast
from pathlib import Path

ROWS = {
    *(f"A{number:02}" for number in range(7, 30)),
    *(f"B{number:02}" for number in range(1, 20)),
    *("A31", "C06", "C07", "C08", "C12", "C13", "C17"),
}
"""Rows with a page: orders from list to archive, refunds, search and export; guide, replay, auditor, parked
messages, queues.
"""


def test_every_row_is_shown_by_a_test() -> None:
    assert ROWS - _rows_named() == set()


def _rows_named() -> set[str]:
    files = Path(__file__).parent.glob("test_*.py")
    marks = [mark for file in files for mark in ast.walk(ast.parse(file.read_text())) if _names_rows(mark)]
    return {
        str(row.value)
        for mark in marks
        if isinstance(mark, ast.Call)
        for row in mark.args
        if isinstance(row, ast.Constant)
    }


def _names_rows(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "rows"
