"""The README says what the code does: messages, tables, templates, settings and routes."""

import re
import tomllib
from pathlib import Path

from contracts.catalogue import consumed_by, sent_by
from services.chassis.settings import ServiceSettings
from services.notifier import handlers as subscribers
from services.notifier.mails import mail, settings
from services.notifier.mails.compose.composing import TEMPLATES
from services.notifier.mails.texts.planning import LANGUAGES

FOLDER = Path(settings.__file__).parent.parent
README = (FOLDER / "README.md").read_text("utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    section = README.split(f"## {heading}\n", 1)[1].split("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in table]


def test_messages_are_those_of_the_catalogue() -> None:
    consumed = [[entry.type, "in", entry.sender] for entry in consumed_by("notifier")]
    sent = [[entry.type, "out", ", ".join(entry.listeners) or "–"] for entry in sent_by("notifier")]
    assert rows("Messages") == consumed + sent


def test_every_message_consumed_has_its_handler() -> None:
    assert set(subscribers.subscribers.handlers) == {entry.message for entry in consumed_by("notifier")}


def test_tables_are_those_of_the_migrations() -> None:
    files = sorted((FOLDER / "migrations").glob("*.sql"))
    made = "".join(path.read_text("utf-8").split("-- migrate:down")[0] for path in files)
    assert [row[0] for row in rows("What it owns")] == re.findall(r"CREATE (?:TABLE|VIEW) (\w+)", made)


def test_templates_are_there_in_every_language() -> None:
    assert [row[0] for row in rows("Mails")] == [template.value for template in mail.Template]
    for language in LANGUAGES:
        expected = {f"{template.value}.{form}" for template in mail.Template for form in ("html", "txt")}
        assert {path.name for path in (TEMPLATES / language).iterdir()} == expected | {"words.toml"}


def test_settings_are_those_of_the_class() -> None:
    own = set(settings.NotifierSettings.model_fields) - set(ServiceSettings.model_fields)
    values = {row[0]: row[2] for row in rows("Settings")}
    assert set(values) == {f"COMPTOIR_{name.upper()}" for name in own}
    for name in own:
        field = settings.NotifierSettings.model_fields[name]
        default = field.get_default(call_default_factory=True)
        shown = "required" if field.is_required() else "–" if default is None else str(default)
        assert values[f"COMPTOIR_{name.upper()}"] == shown


def test_a_shops_fields_are_all_named() -> None:
    paragraph = README.split("A shop:", 1)[1].split("\n\n")[0]
    assert set(settings.ShopProfile.model_fields) <= set(re.findall(r"`(\w+)`", paragraph))


def test_words_of_all_languages_have_the_same_keys() -> None:
    def keys(language: str) -> set[tuple[str, str]]:
        words = tomllib.loads((TEMPLATES / language / "words.toml").read_text("utf-8"))
        return {
            (name, key) for name, section in words.items() if isinstance(section, dict) for key in section
        }

    assert all(keys(language) == keys("en") for language in LANGUAGES)
