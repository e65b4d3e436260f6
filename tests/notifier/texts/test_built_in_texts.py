"""Every mail has its built-in texts in both languages, made of its own placeholders, and renders on every sample."""

import pytest

from contracts.notifier.mail_texts import TextPart
from services.notifier.mails.compose.composing import words_of, write_pages
from services.notifier.mails.compose.wording import built_in
from services.notifier.mails.mail import Template
from services.notifier.mails.texts.placeholders import WORDINGS, names_of, placeholders_of
from services.notifier.mails.texts.planning import LANGUAGES
from services.notifier.profile.checking import check
from services.notifier.profile.samples import NUMBER_OF_SAMPLES, sample, template_of
from tests.notifier.builders import SHOP, a_shop

NOT_EDITABLE = {Template.TEXT_DAMAGED, Template.SENDER_REFUSED}
"""Mails about mails themselves."""


def test_every_mail_but_ours_can_be_edited() -> None:
    assert {template_of(wording) for wording in WORDINGS} == set(Template) - NOT_EDITABLE


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("wording", WORDINGS)
def test_the_built_in_texts_would_be_accepted(wording: str, language: str) -> None:
    words = words_of(language)
    assert words["name"][wording]
    for part in TextPart:
        text = built_in(words, wording, part)
        assert bool(text) is (part is not TextPart.FOOTER)
        assert not text or check(wording, part, text, a_shop()) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("wording", WORDINGS)
def test_every_placeholder_has_a_value_on_every_sample(wording: str, language: str) -> None:
    text = " | ".join(f"{name}={{{{ {name} }}}}" for name in names_of(wording))
    for number in range(NUMBER_OF_SAMPLES):
        mail, recipient = sample(wording, SHOP, language, number)
        pages = write_pages(mail, recipient, a_shop(), own={TextPart.INTRO: text, TextPart.FOOTER: "Fin."})
        assert pages.damaged == ()
        assert f"order_code={mail.code}" in pages.text or "order_code" not in names_of(wording)
        assert "Fin." in pages.html
    first = write_pages(*sample(wording, SHOP, language), a_shop(), own={TextPart.INTRO: text}).text
    assert "=|" not in first.replace(" ", ""), "the ordinary sample shows every placeholder"
    for one in placeholders_of(wording):
        assert all(one.label[name] and one.example[name] for name in LANGUAGES)


@pytest.mark.parametrize("wording", WORDINGS)
def test_fixed_blocks_stay_whatever_the_texts_are(wording: str) -> None:
    mail, recipient = sample(wording, SHOP, "fr")
    blank = dict.fromkeys((TextPart.INTRO, TextPart.FOOTER), "")
    ours, theirs = (write_pages(mail, recipient, a_shop(), own=texts) for texts in ({}, blank))
    fixed = [line for line in ours.text.splitlines() if line.strip()]
    intro = write_pages(mail, recipient, a_shop(), own={TextPart.INTRO: "@@"}).text.splitlines()
    kept = [line for line in fixed if line in intro]
    assert [line for line in theirs.text.splitlines() if line.strip()] == kept
