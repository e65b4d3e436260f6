"""The outcome of a mail is shown as a text, with the mail server's own reply."""

import pytest

from services.chassis.messaging.recovery.restored import RESTORED
from services.orders.backoffice.language.translating import PageLocale, using_locale
from services.orders.backoffice.mails.words import (
    ACCEPTED,
    LATER,
    NOTES,
    REFUSED,
    UNCLEAR,
    Outcome,
    what_became,
)


def outcome_of(note: str, language: str = "en") -> Outcome:
    """A note as a colleague who reads this language sees it."""
    with using_locale(PageLocale(language)):
        outcome = what_became(note)
    assert outcome is not None
    return outcome


@pytest.mark.parametrize(
    ("note", "sentence", "expected"),
    [
        ("content: 250 2.0.0 OK 4F2", ACCEPTED, "250 2.0.0 OK 4F2"),
        ("content: 250 ", ACCEPTED, "250"),
        ("recipient: 550 5.1.1 no such user", REFUSED["recipient"], "550 5.1.1 no such user"),
        ("recipient: 451 4.7.1 greylisted", LATER, "451 4.7.1 greylisted"),
        ("sender: 530 authenticate first", REFUSED["sender"], "530 authenticate first"),
        ("data: 554 no", REFUSED["data"], "554 no"),
        ("content: 354 what", UNCLEAR, "354 what"),
        ("the order was deleted", NOTES["the order was deleted"], ""),
        (
            "no answer after the whole letter was sent: TimeoutError",
            NOTES["no answer after the whole letter was sent"],
            "TimeoutError",
        ),
        (RESTORED, NOTES[RESTORED], ""),
        ("something new <b>", "something new <b>", ""),
    ],
)
def test_a_note_is_a_sentence_and_the_servers_reply(note: str, sentence: str, expected: str) -> None:
    became = outcome_of(note)
    assert (became.sentence, became.recorded) == (sentence, expected)


def test_what_ended_or_is_tried_again_shows_it_first() -> None:
    ended = outcome_of("given up after 12 tries: recipient: 450 4.2.0 full")
    assert (ended.sentence, ended.recorded) == (f"Given up after 12 attempts. {LATER}", "450 4.2.0 full")
    again = outcome_of("sent again by COMPTOIR_UNCERTAIN_MAILS: the process died while it was in flight")
    assert again.sentence.startswith("It is sent again automatically. The service was stopped")
    assert what_became(None) is None


@pytest.mark.parametrize(
    "note",
    [
        "content: 250 OK",
        "recipient: 550 no",
        "given up after 3 tries: content: 451 later",
        "taken as arrived by staff:zoe",
        *NOTES,
    ],
)
def test_no_english_is_left_in_french(note: str) -> None:
    assert outcome_of(note, "fr").sentence != outcome_of(note).sentence
