"""The README's tables of messages are the catalogue's, and the handlers are what it hears."""

import re
from pathlib import Path

from contracts.catalogue import consumed_by, sent_by
from contracts.orders.lifecycle import OrderState
from services.chassis.messaging.inbound.raw_message import BEYOND_READING
from services.chassis.settings import ServiceSettings
from services.orders.handlers import subscribers
from services.orders.order.settings import OrdersSettings
from services.orders.order.state import LABELS
from tests.orders.tables import DECIDED_HERE, EQUAL_AFTER_SHUFFLE, FOR_FINDING

README = Path(__file__).resolve().parents[2] / "services" / "orders" / "README.md"


def table(heading: str) -> set[tuple[str, str]]:
    """The first two columns of the table below a heading."""
    section = README.read_text(encoding="utf-8").split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return set(re.findall(r"^\| `(\w+)` \| ([\w, ]+) \|", section, flags=re.MULTILINE))


def test_messages_in_are_those_of_the_catalogue() -> None:
    senders: dict[str, list[str]] = {}
    for entry in consumed_by("orders"):
        senders.setdefault(entry.message.__name__, []).append(entry.sender)
    assert table("Messages in") == {(name, ", ".join(found)) for name, found in senders.items()}


def test_messages_out_are_those_of_the_catalogue() -> None:
    expected = {
        (
            entry.message.__name__,
            "its storefront" if entry.public else ", ".join(entry.listeners) or "no consumer yet",
        )
        for entry in sent_by("orders")
    }
    assert table("Messages out") == expected


def test_every_message_consumed_has_a_handler() -> None:
    assert set(subscribers.handlers) == {entry.message for entry in consumed_by("orders")}


def test_every_table_is_described_and_compared() -> None:
    sql = "".join(
        path.read_text(encoding="utf-8") for path in (README.parent / "order" / "migrations").glob("*.sql")
    )
    tables = set(re.findall(r"create table (\w+)", sql, flags=re.IGNORECASE))
    assert tables - {"state_change"} - DECIDED_HERE - FOR_FINDING == set(EQUAL_AFTER_SHUFFLE)
    assert not [name for name in tables if f"`{name}`" not in README.read_text(encoding="utf-8")]


def test_every_reason_is_listed() -> None:
    source = "".join(
        path.read_text(encoding="utf-8")
        for path in README.parent.rglob("*.py")
        if "backoffice" not in path.parts
    )
    given = set(re.findall(r'Reason\(\s*code="(\w+)"', source)) | BEYOND_READING
    section = README.read_text(encoding="utf-8").split("## Why a submission is refused", 1)[1]
    listed = set(re.findall(r"`(\w+)`", section.split("\n## ", 1)[0])) - {"submitted_at"}
    assert {"not_your_shop", "tax_inconsistent", "order_deleted"} <= given & listed
    assert listed <= given


def test_every_state_and_setting_is_described() -> None:
    text = README.read_text(encoding="utf-8")
    for state in OrderState:
        assert f"| `{state}` | {LABELS.get(state, LABELS['in_progress_order'])['fr']}" in text
    own = set(OrdersSettings.model_fields) - set(ServiceSettings.model_fields)
    assert {f"COMPTOIR_{name.upper()}" for name in own} <= set(re.findall(r"`(COMPTOIR_\w+)`", text))
