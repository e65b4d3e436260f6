"""Comments for the team have no path to a mail: no message that the notifier receives and no template names one."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from contracts.catalogue import consumed_by
from contracts.notifier.mail_texts import TextPart
from services.notifier.mails.compose import composing
from services.notifier.mails.compose.composing import write_pages
from services.notifier.mails.texts.placeholders import WORDINGS, names_of
from services.notifier.mails.texts.planning import LANGUAGES
from services.notifier.profile.samples import NUMBER_OF_SAMPLES, sample
from tests.notifier.builders import SHOP, a_shop

SECRET = "ADMIN-COMMENT-Xq7"
WORDS = re.compile(r"admin_?comment|internal|staff_?note|team_?comment", re.IGNORECASE)
FOLDER = Path(composing.__file__).parent


def fields_of(model: type[BaseModel], seen: set[type[BaseModel]]) -> set[str]:
    """The names of all fields of a message, of its parts too."""
    if model in seen:
        return set()
    seen.add(model)
    found = set(model.model_fields)
    for info in model.model_fields.values():
        for kind in kinds_of(info.annotation):
            found |= fields_of(kind, seen)
    return found


def kinds_of(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [kind for one in get_args(annotation) for kind in kinds_of(one)]


@pytest.mark.parametrize("entry", consumed_by("notifier"), ids=lambda entry: entry.type)
def test_no_message_to_the_notifier_has_a_comment_for_the_team(entry: Any) -> None:
    assert [name for name in fields_of(entry.message, set()) if WORDS.search(name)] == []


def test_no_template_and_no_code_of_mails_reads_one() -> None:
    files = [path for path in FOLDER.rglob("*") if path.suffix in (".html", ".txt", ".toml", ".py")]
    assert len(files) > 40
    assert [path.name for path in files if WORDS.search(path.read_text("utf-8"))] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("wording", WORDINGS)
def test_one_that_is_in_the_data_all_the_same_is_in_no_mail(wording: str, language: str) -> None:
    """Whatever a sender adds to the data, only what a mail names is shown, even with every placeholder used."""
    every = " ".join(f"{{{{ {name} }}}}" for name in names_of(wording))
    for number in range(NUMBER_OF_SAMPLES):
        mail, recipient = sample(wording, SHOP, language, number)
        for name in ("admin_comment", "comment", "internal_comment", "reason", "actor", "ip"):
            mail.context[name] = SECRET
            recipient.placed[name] = SECRET
            recipient.placed["customer"][name] = SECRET
            recipient.placed["lines"][0][name] = SECRET
        pages = write_pages(mail, recipient, a_shop(), own=dict.fromkeys(TextPart, every))
        assert pages.damaged == ()
        assert SECRET not in pages.subject + pages.text + pages.html
