"""Phrases that have a plainer or more usual counterpart stay out of the English texts of the project.

Checked are documents, docstrings, comments, strings with a space in Python (errors, log events, interface texts),
English templates, the English guide, scripts, style sheets and the Makefile. Not checked are migrations, which are
never edited, and vendored files. When a review finds another phrase, add it with its counterpart and rewrite the
sentences.
"""

import ast
import functools
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
    "a person decides": "staff decide; an operator decides",
    "a person's decision": "a staff decision; an operator's decision",
    "ack lost": "ack failed; messages will be redelivered and deduplicated",
    "as the schema says": "as the schema requires",
    "ask again in a moment": "try again in a moment",
    "asks again by itself": "polls",
    "blanks around": "spaces around",
    "by which this works": "which is used instead",
    "come again and be known": "be redelivered and deduplicated",
    "each alone": "one by one",
    "for a person to see": "for staff to see; for an operator to see",
    "goes on by itself": "continues automatically",
    "homeless": "unmatched",
    "how a link stands": "the state of a link",
    "how it stands": "its state",
    "in good order": "cleanly",
    "in hand": "unacknowledged; received; in progress",
    "in whatever order": "in any order",
    "in whatever sequence": "in any order",
    "is no IANA": "is not an IANA",
    "is no JSON": "is not JSON",
    "is no UUID": "is not a UUID",
    "is no cursor of": "is not a cursor of",
    "is no order's id": "is not an order's id",
    "is no report": "is not a report",
    "is said of": "a note on",
    "is shown as it no longer is": "is out of date",
    "is told once": "is notified once",
    "letters arrive": "mails arrive",
    "lies there": "is stored; is at the location",
    "mend": "fix, correct",
    "mended": "fixed, corrected",
    "mending": "fixing, correcting",
    "mends": "fixes, corrects",
    "nobody is written to": "no mail is sent",
    "nobody listens": "no queue is bound; no consumer",
    "not there any more": "no longer exists",
    "nothing handles": "no handler for",
    "nothing to object to": "no violations",
    "obeys": "follows",
    "of its own accord": "by itself",
    "on the face of it": "by the request alone",
    "owner of the matter": "owning service",
    "put aside": "set aside",
    "put in force": "activated",
    "said anew": "published again",
    "seldom": "rarely",
    "send it without": "remove it",
    "send parts": "split the request",
    "setting(s)": "settings",
    "settings that are missing are all named at once": "all missing settings are reported together",
    "shown anew": "shown again",
    "small letters": "lower case",
    "speaks for": "is the login of; acts for",
    "stands against it": "prevents it",
    "stands in its way": "blocks it",
    "stands in the way": "blocks it",
    "stands twice": "is a duplicate; occurs twice",
    "still to leave": "still to be sent; in the outbox",
    "strangers reach": "exposed to the public",
    "tell anew": "resync",
    "tell its truth": "resync; re-emit its state",
    "tells no counts": "could not read queue depths",
    "tells of": "reports",
    "tells what": "reports",
    "that only look": "read-only",
    "the database is away": "the database is unavailable",
    "the same again": "repeat",
    "told anew": "resynced",
    "told of": "notified; reported; a mail about",
    "under whatever event id": "under any event id",
    "very sum": "exactly this amount",
    "waits for a person": "waits for staff; waits for an operator",
    "what always holds": "invariants",
    "what was typed": "the input; the submitted values",
    "what you may rely on": "guarantees",
    "where it stands": "its state",
    "who buys": "customer",
    "whoever listens": "consumers",
    "without blanks": "without spaces",
}


def _python_texts(path: Path) -> Iterator[tuple[int, str]]:
    source = path.read_text()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value
    if "#" not in source:
        return
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def _paths() -> Iterator[Path]:
    yield from (ROOT / "Makefile", *ROOT.glob("*.md"))
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            parts = path.relative_to(ROOT).parts
            if (
                path.suffix in (".py", ".md", ".html", ".js", ".css", ".txt")
                and path != Path(__file__)
                and SKIPPED.isdisjoint(parts)
            ):
                yield path


@functools.cache
def _texts() -> list[tuple[str, str, str]]:
    """Each text in one line: the place where it begins, the text, and the text in small letters."""
    found = []
    for path in _paths():
        pieces = _python_texts(path) if path.suffix == ".py" else [(1, path.read_text())]
        for line, text in pieces:
            plain = " ".join(text.replace("#", " ").split())
            found.append((f"{path.relative_to(ROOT)}:{line}", plain, plain.lower()))
    return found


@pytest.mark.parametrize("phrase", sorted(INSTEAD_OF))
def test_a_phrase_with_a_plainer_counterpart_is_not_used(phrase: str) -> None:
    banned = re.compile(rf"(?<!\w){re.escape(phrase)}(?!\w)", re.IGNORECASE)
    used = [
        f"{where}: …{text[max(match.start() - 40, 0) : match.end() + 40]}…"
        for where, text, lower in _texts()
        if phrase.lower() in lower
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
        ("services/orders/backoffice/web/static/js/live.js", "One event stream per page"),
        ("services/orders/backoffice/guide/content/en/tags.txt", "Tags are your own labels"),
    ):
        assert any(place.startswith(f"{where}:") and text in content for place, content, _ in _texts()), where
