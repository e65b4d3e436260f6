"""What people write is found by what they ask, however either is spaced, hyphenated, accented or set in type."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.orders.order.search.folding import document, fold, occurs

APOSTROPHES = "'\u2019\u2018\u02bc\u00b4`\u2032\uff07\u02b9"
HYPHENS = "-\u2010\u2011\u2013\u2014\u2212\u00ad\ufe63\uff0d"
BLANKS = " \u00a0\u202f\u2009"
SIGNS = st.sampled_from(APOSTROPHES + HYPHENS + BLANKS + ".·/")
WORDS = st.lists(
    st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=3, max_size=8), min_size=2, max_size=4
)

NAMES = [
    ("Siobhan O\u2019Brien", ("O'Brien", "obrien", "o\u02bcbrien", "O`Brien", "O\u00b4BRIEN")),
    ("Siobhan O\u00b4Brien", ("O'Brien", "obrien")),
    ("OBrien", ("O'Brien", "O\u2019Brien")),
    (
        "Jean\u2011Pierre Lef\u00e8vre\u2010Martin",
        ("Jean-Pierre", "Lefevre-Martin", "jeanpierre", "jean pierre"),
    ),
    ("Jean Pierre", ("Jean-Pierre", "jean\u2013pierre", "JeanPierre")),
    ("Claire D\u2019Aubign\u00e9", ("D'Aubigné", "aubigne", "daubigne")),
    ("Delatour", ("de la Tour",)),
    ("Zo\u00eb\u200b Mar\u00adtin", ("zoe martin",)),
    ("12 rue du G\u00e9n\u00e9ral\u2010de\u2010Gaulle", ("général-de-gaulle",)),
]
NUMBERS = [
    ("1Z 5R8 939 03 5756 7127", ("1Z5R89390357567127", "1z5r8939 0357567127", "1Z 5R8 939 03 5756 7127")),
    ("1Z5R89390357567128", ("1Z 5R8 939 03 5756 7128", "1Z-5R8-939-03-5756-7128")),
    ("RR123456785FR", ("RR 123 456 785 FR", "rr123456785fr")),
    ("6A 12345 67890", ("6A1234567890", "6a 1234567890")),
    ("06 12 34 56 78 (maman)", ("0612345678", "+33612345678", "+33 6 12 34 56 78")),
    ("\u0660\u0666\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668", ("0612345678", "06 12 34 56 78")),
    ("12 34 56", ("123456", "12 34 56", "12.34.56")),
    ("1-800-FLOWERS", ("1800flowers", "1 800 flowers", "1-800-flowers")),
    ("NB-1", ("nb1", "NB 1", "NB-1")),
    ("CHQ 0012345", ("0012345", "CHQ0012345", "chq-0012345")),
]


@pytest.mark.parametrize(
    ("stored", "query"), [(one, text) for one, texts in NAMES + NUMBERS for text in texts]
)
def test_a_name_or_number_is_found_however_it_is_written(stored: str, query: str) -> None:
    assert occurs(query, document([stored]))


@given(words=WORDS, stored=SIGNS, query=SIGNS)
def test_the_sign_between_two_words_does_not_matter(words: list[str], stored: str, query: str) -> None:
    assert occurs(query.join(words), document([stored.join(words)]))
    assert occurs("".join(words), document([stored.join(words)]))


@given(text=st.text(max_size=40))
@example("\U0001d50d")
def test_what_is_stored_is_found_as_it_is(text: str) -> None:
    assert (
        occurs(text, document([text]))
        or not fold(text).strip("'-. ")
        or not any(map(str.isalnum, fold(text)))
    )


def test_what_is_not_there_is_not_found() -> None:
    stored = document(["Jean-Pierre Martin", "zoe@client.example", "K7Q9-M3XZ"], ["12 rue des Lilas"])
    for query in (
        "jeanne",
        "pierrejean martinet",
        "zoe@client.examples",
        "k7q9 m3xx",
        "lilasse",
        "ean 44",
        "rs",
    ):
        assert not occurs(query, stored), query
    assert occurs("zoe@client.example", stored)
    assert occurs("client.example", stored)
    assert occurs("lilas k7q9", stored)


def test_signs_alone_request_nothing() -> None:
    for query in ("--", "%_\\", "'", "\u2019", "@"):
        assert not occurs(query, document(["a-b '@' %_\\"])), query
    assert occurs("  ", document(["anything"]))


@given(st.text(st.characters(max_codepoint=127), max_size=30))
def test_plain_text_is_folded_alike_alone_and_beside_an_accent(text: str) -> None:
    assert fold(f"{text} é") == f"{fold(text)} e".strip()
