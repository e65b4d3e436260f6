"""What folds of an answer: only lines that are provably ours; shown and folded together are the text."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.conversation.filing.folding import Earlier, fold

pytestmark = pytest.mark.rows("C23")
OURS = (
    "Bonjour Zoé,\n\nquelle taille vous faut-il pour la bougie, et de quelle couleur la voulez-vous ?\n\nLéa\n\n"
    "Au sujet de votre commande K7F3-QD9M."
)


def shown(text: str, ours: str = OURS) -> str:
    """What a reader sees without unfolding."""
    segments = fold(text, Earlier([ours]))
    assert "".join(segment["text"] for segment in segments) == text
    return "".join(segment["text"] for segment in segments if segment["kind"] != "folded")


def test_an_answer_above_gmails_french_quotation_shows_alone() -> None:
    text = (
        "Oui\n\nLe lun. 30 nov. 2026 à 09:12, Atelier Lumière <boutique@atelier.example>\na écrit :\n\n"
        "> Bonjour Zoé,\n>\n> quelle taille vous faut-il pour la bougie, et de\n> quelle couleur la voulez-vous ?\n>\n"
        "> Léa\n"
    )
    assert shown(text).strip() == "Oui"


def test_answers_between_quoted_questions_show_in_their_place() -> None:
    assert shown("> Taille ?\n42\n> Couleur ?\nbleu") == "> Taille ?\n42\n> Couleur ?\nbleu"
    long = "> quelle taille vous faut-il pour la bougie\n42\n> et de quelle couleur la voulez-vous ?\nbleu"
    assert shown(long) == "42\nbleu"


def test_an_answer_below_the_quotation_shows() -> None:
    text = "> quelle taille vous faut-il pour la bougie, et de quelle couleur la voulez-vous ?\n\nLa 42, en bleu."
    assert shown(text).strip() == "La 42, en bleu."


@pytest.mark.parametrize(
    "text",
    [
        "Bonjour,\nLe livreur a écrit :\nabsent\nQue faire ?",
        "- taille 42\n- couleur bleue",
        "> https://boutique.example/bougie-figuier-180g\nCelle-ci me plaît.",
        "> quelle taille vous faut-il pour la bougie, et de\n> quelle couleur la voulez-vous ?",
        "> la taille quarante-deux, merci beaucoup",
        "De : ma sœur\nObjet : surprise\nOui, en bleu.",
    ],
    ids=[
        "a sentence",
        "a list",
        "their own quotation",
        "nothing else",
        "typed under the marker",
        "not a header",
    ],
)
def test_the_customers_own_words_show_wherever_they_stand(text: str) -> None:
    assert shown(text) == text


def test_outlooks_header_and_an_unmarked_quotation_fold() -> None:
    text = f"Oui.\n\nDe : Atelier <b@a.example>\nEnvoyé : lundi\nÀ : Zoé\nObjet : Votre commande\n\n{OURS}"
    assert shown(text).strip() == "Oui."


def test_a_signature_folds_and_a_list_below_dashes_does_not() -> None:
    assert shown("Oui\n-- \nZoé Lefèvre\n06 99") == "Oui\n"
    assert shown("Oui\n--\nbleu") == "Oui\n--\nbleu"


@given(
    st.lists(
        st.sampled_from(
            ["> ", "", "-- ", "a écrit :", *OURS.split("\n"), "> Léa", "42", "De : x", "Objet : y"]
        ),
        max_size=30,
    ),
    st.text(max_size=200),
)
def test_shown_and_folded_are_the_text(lines: list[str], more: str) -> None:
    text = "\n".join([*lines, more])
    segments = fold(text, Earlier([OURS]))
    assert "".join(segment["text"] for segment in segments) == text
    assert {segment["kind"] for segment in segments} <= {"shown", "folded", "quote"}


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=12, max_size=60), min_size=1, max_size=10))
def test_words_that_were_never_written_before_never_fold(words: list[str]) -> None:
    lines = [line for text in words for line in text.split("\n")]
    segments = fold("\n".join(lines), Earlier(["Un tout autre texte de la boutique."]))
    assert all(s["kind"] != "folded" or "-- " in s["text"] for s in segments)


def test_a_hostile_mebibyte_is_read_in_seconds() -> None:
    shuffler = random.Random(7)
    texts = [
        "\n" * 1_000_000,
        ">" * 1_000_000,
        "On x\n" * 200_000 + "wrote:\n" + OURS,
        "\n".join("a" * shuffler.randrange(12, 3000) + "b" for _ in range(600)),
    ]
    earlier = Earlier(["a" * 300_000])
    began = time.process_time()
    for text in texts:
        fold(text, earlier)
    assert time.process_time() - began < 20
