"""The README for a storefront's author: its tables are the catalogue's, its programs run, its links lead somewhere."""

import re
from datetime import UTC, datetime
from typing import Any

from contracts.catalogue import CATALOGUE
from contracts.envelope import Envelope, uuid7
from contracts.generate import FOLDER, headers_table, messages_table
from contracts.orders.lifecycle import OrderPlaced

TEXT = (FOLDER / "README.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def defined_by(program: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(program, "contracts/README.md", "exec"), names)  # noqa: S102 - our own documentation
    return names


def test_the_tables_are_generated_from_the_catalogue() -> None:
    assert headers_table() in TEXT
    assert messages_table() in TEXT
    for kind, entry in CATALOGUE.items():
        (row,) = re.findall(rf"^\| \[`{re.escape(kind)}`\].*$", TEXT, re.MULTILINE)
        assert all(word in row for word in (entry.sender, *entry.listeners, *entry.outcomes))


def test_its_programs_use_what_exists() -> None:
    publishing, reading = PROGRAMS
    assert callable(defined_by(publishing)["submit"])
    body = (FOLDER / "samples" / "orders.order.placed.v1.json").read_bytes()
    envelope = Envelope(uuid7(), "/orders", "orders.order.placed.v1", datetime(2026, 3, 14, tzinfo=UTC))
    assert defined_by(reading)["read"](envelope.headers(), body) == (
        envelope,
        OrderPlaced.model_validate_json(body),
    )


def test_its_links_lead_to_files() -> None:
    targets = re.findall(r"\]\(([^)]+)\)", TEXT)
    assert len(targets) > len(CATALOGUE)
    assert [target for target in targets if not (FOLDER / target.partition("#")[0]).exists()] == []
