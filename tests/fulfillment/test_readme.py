"""The README's table of messages is the catalogue's, and the handlers are what it hears."""

import re
from pathlib import Path

from contracts.catalogue import consumed_by, sent_by
from services.fulfillment.api.app import router
from services.fulfillment.handlers import subscribers

README = Path(__file__).resolve().parents[2] / "services" / "fulfillment" / "README.md"


def _table(heading: str) -> set[str]:
    section = README.read_text(encoding="utf-8").split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return set(re.findall(r"^\| `(\w+)`", section, flags=re.MULTILINE))


def test_messages_in_are_those_of_the_catalogue() -> None:
    assert _table("Messages in") == {entry.message.__name__ for entry in consumed_by("fulfillment")}


def test_messages_out_are_those_of_the_catalogue() -> None:
    assert _table("Messages out") == {entry.message.__name__ for entry in sent_by("fulfillment")}


def test_every_message_consumed_has_a_handler() -> None:
    assert set(subscribers.handlers) == {entry.message for entry in consumed_by("fulfillment")}


def test_every_table_is_described() -> None:
    migrations = README.parent / "migrations"
    sql = "".join(path.read_text(encoding="utf-8") for path in migrations.glob("*.sql"))
    for table in re.findall(r"CREATE TABLE (\w+)", sql):
        assert f"`{table}`" in README.read_text(encoding="utf-8"), table


def test_every_path_is_described() -> None:
    section = README.read_text(encoding="utf-8").split("## Reading over HTTP\n", 1)[1]
    described = set(re.findall(r"^\| `(/internal[^?`]*)", section, flags=re.MULTILINE))
    assert described == {getattr(route, "path", "") for route in router.routes}
