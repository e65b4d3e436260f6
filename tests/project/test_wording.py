"""Phrases that have a plainer or more usual counterpart stay out of the English texts of the project.

Checked are documents, docstrings, comments, strings with a space in Python (errors, log events, interface texts),
English templates and the Makefile. Not checked are migrations, which are never edited, and vendored files. When a
review finds another phrase, add it with its counterpart and rewrite the sentences.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("contracts", "services", "deploy", "tests")
SKIPPED = frozenset(("fr", "axe", "vendor"))
"""Folders of French and of vendored files."""
INSTEAD_OF = {
    "ack lost": "ack failed; messages will be redelivered and deduplicated",
    "come again and be known": "be redelivered and deduplicated",
    "each alone": "one by one",
    "homeless": "unmatched",
    "in hand": "unacknowledged; received; in progress",
    "in whatever sequence": "in any order",
    "mend": "fix, correct",
    "mended": "fixed, corrected",
    "mending": "fixing, correcting",
    "mends": "fixes, corrects",
    "nothing handles": "no handler for",
    "nothing to object to": "no violations",
    "on the face of it": "by the request alone",
    "owner of the matter": "owning service",
    "said anew": "published again",
    "seldom": "rarely",
    "setting(s)": "settings",
    "settings that are missing are all named at once": "all missing settings are reported together",
    "shown anew": "shown again",
    "stands in its way": "blocks it",
    "stands in the way": "blocks it",
    "tell anew": "resync",
    "tells no counts": "could not read queue depths",
    "the database is away": "the database is unavailable",
    "told anew": "resynced",
    "what always holds": "invariants",
    "what you may rely on": "guarantees",
    "who buys": "customer",
    "whoever listens": "consumers",
}


def _python_texts(path: Path) -> Iterator[tuple[int, str]]:
    source = path.read_text()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def _paths() -> Iterator[Path]:
    yield from (ROOT / "Makefile", *ROOT.glob("*.md"))
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            parts = path.relative_to(ROOT).parts
            if (
                path.suffix in (".py", ".md", ".html")
                and path != Path(__file__)
                and SKIPPED.isdisjoint(parts)
            ):
                yield path


def _texts() -> list[tuple[str, str]]:
    """Each text in one line, with the place where it begins."""
    found = []
    for path in _paths():
        pieces = _python_texts(path) if path.suffix == ".py" else [(1, path.read_text())]
        found += [
            (f"{path.relative_to(ROOT)}:{line}", " ".join(text.replace("#", " ").split()))
            for line, text in pieces
        ]
    return found


TEXTS = _texts()


@pytest.mark.parametrize("phrase", sorted(INSTEAD_OF))
def test_a_phrase_with_a_plainer_counterpart_is_not_used(phrase: str) -> None:
    banned = re.compile(rf"(?<!\w){re.escape(phrase)}(?!\w)", re.IGNORECASE)
    used = [
        f"{where}: …{text[max(match.start() - 40, 0) : match.end() + 40]}…"
        for where, text in TEXTS
        for match in banned.finditer(text)
    ]
    assert used == [], f"instead of “{phrase}” write “{INSTEAD_OF[phrase]}”"


def test_documents_docstrings_comments_strings_and_templates_are_read() -> None:
    """A scan that reads nothing would find nothing."""
    for where, text in (
        ("CONTRIBUTING.md", "From clone to running hub"),
        ("tests/project/test_structure.py", "What the project promises about its own shape."),
        ("services/chassis/storage/database.py", "Every statement finds its rows by key."),
        ("services/chassis/messaging/inbound/queue_reader.py", "ack failed; messages will be redelivered"),
        ("services/orders/backoffice/operations/templates/findings.html", "No violations"),
    ):
        assert any(place.startswith(f"{where}:") and text in content for place, content in TEXTS), where
