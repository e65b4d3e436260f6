"""The README's tables are what the code, the catalogue and the migrations say."""

import re
from pathlib import Path

from contracts.catalogue import consumed_by, sent_by
from services.chassis.settings import ServiceSettings
from services.payments.handlers import subscribers
from services.payments.providers.paypal import needed as paypal_needed
from services.payments.providers.stripe import needed as stripe_needed
from services.payments.settings import PaymentsSettings

HOME = Path(__file__).parents[2] / "services" / "payments"
README = (HOME / "README.md").read_text()


def first_column(heading: str) -> list[str]:
    """The first cells of the table below a heading, each as the names in backticks it holds."""
    section = README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def test_messages_in() -> None:
    consumed = [entry.message.__name__ for entry in consumed_by("payments")]
    assert sorted(first_column("Messages in")) == sorted(consumed)
    assert sorted(message.__name__ for message in subscribers.handlers) == sorted(consumed)


def test_messages_out() -> None:
    sent = [entry.message.__name__ for entry in sent_by("payments")]
    assert sorted(first_column("Messages out")) == sorted(sent)


def test_tables() -> None:
    sql = "\n".join(path.read_text() for path in sorted((HOME / "migrations").glob("*.sql")))
    made = re.findall(r"^CREATE (?:TABLE|VIEW) (\w+)", sql, re.MULTILINE)
    assert sorted(first_column("What it owns")) == sorted(made)


def test_settings() -> None:
    own = set(PaymentsSettings.model_fields) - set(ServiceSettings.model_fields)
    assert set(first_column("Settings")) == {f"COMPTOIR_{name.upper()}" for name in own}


def test_files() -> None:
    for name in first_column("Files"):
        assert (HOME / name).exists(), name


def test_reasons_of_refused_commands_and_parked_webhooks() -> None:
    code = "\n".join(path.read_text() for path in HOME.rglob("*.py"))
    refusals = set(re.findall(r'Reason\(code="(\w+)"', code))
    parked = set(re.findall(r'Parked\(\s*"(\w+)"', code)) | set(re.findall(r'"parked", "(\w+)"', code))
    for reason in refusals | parked:
        assert f"`{reason}`" in README, reason


def test_events_an_endpoint_must_send() -> None:
    section = README.partition("### Events that an endpoint must send")[2].partition("\n## ")[0]
    stripe, _, paypal = section.partition("And these at PayPal:")
    assert re.findall(r"^- `(.+)`$", stripe, re.MULTILINE) == list(stripe_needed.NEEDED)
    assert re.findall(r"^- `(.+)`$", paypal, re.MULTILINE) == list(paypal_needed.NEEDED)
