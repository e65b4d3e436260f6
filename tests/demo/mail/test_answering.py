"""What a customer's mail program sends is read by the notifier as what it is."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.demo.mail.answering import answer_to, automatic_reply_to, reply_address
from services.notifier.conversation.filing.folding import SHOWN, Earlier, fold
from services.notifier.conversation.parsing.parsed import parse
from tests.demo.mail.builders import RECIPIENT, REPLY_TO, a_mail

QUESTION = "Quelle taille vous faut-il pour la bougie ?"
SENTENCES = st.lists(st.text(alphabet="aéêœ «»’.!?", min_size=1, max_size=40).map(str.strip), min_size=1)


def received(mail: EmailMessage) -> EmailMessage:
    """A mail as it is after a journey."""
    arrived = message_from_bytes(mail.as_bytes(policy=SMTP), policy=policy.default)
    assert isinstance(arrived, EmailMessage)
    return arrived


def test_an_answer_goes_where_the_mail_directs_and_names_it() -> None:
    answer = answer_to(received(a_mail()), RECIPIENT, "La 42.")
    assert (answer["To"], answer["Subject"]) == (REPLY_TO, "Re: Votre commande K7F3-QD01")
    read = parse(answer.as_bytes(policy=SMTP), RECIPIENT)
    assert (read.sender, read.is_automatic) == (RECIPIENT, False)
    assert read.references == ["<recap@garance.example.org>", "<1@garance.example.org>"]


def test_without_a_reply_address_it_goes_to_the_sender() -> None:
    mail = a_mail()
    del mail["Reply-To"]
    assert reply_address(received(mail)) == "boutique@garance.example.org"


@given(SENTENCES)
def test_of_an_answer_only_what_the_customer_wrote_is_shown(sentences: list[str]) -> None:
    written = "\n".join(["La 42, merci.", *sentences]).strip()
    answer = answer_to(received(a_mail(QUESTION)), RECIPIENT, written)
    text = parse(answer.as_bytes(policy=SMTP), RECIPIENT).text
    assert QUESTION in text
    segments = fold(text, Earlier([QUESTION]))
    shown = "".join(one["text"] for one in segments if one["kind"] == SHOWN)
    assert [line.strip() for line in shown.split("\n") if line.strip()] == [
        line.strip() for line in written.split("\n") if line.strip()
    ]


def test_an_answer_need_not_quote() -> None:
    answer = answer_to(received(a_mail(QUESTION)), RECIPIENT, "La 42.", is_quoting=False)
    assert parse(answer.as_bytes(policy=SMTP), RECIPIENT).text == "La 42."


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("fr", "Réponse automatique : Votre commande K7F3-QD01"),
        ("de", "Automatic reply: Votre commande K7F3-QD01"),
    ],
)
def test_an_out_of_office_reply_is_recognised(language: str, subject: str) -> None:
    mail = a_mail()
    mail.replace_header("Content-Language", language)
    reply = automatic_reply_to(received(mail), RECIPIENT, "Je suis absent.")
    assert reply["Subject"] == subject
    assert parse(reply.as_bytes(policy=SMTP), RECIPIENT).is_automatic
