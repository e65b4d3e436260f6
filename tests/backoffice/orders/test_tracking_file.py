"""Tracking numbers as files hold them: whatever the separator, mark and encoding, and whatever is wrong with a line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orders.backoffice.orders.bulk.tracking_file import (
    MOST_LINES,
    LinesUnreadable,
    TooManyLines,
    decoded,
    read_lines,
)
from services.orders.order.short_code import ALPHABET

CODE = "K7F3-QD9M"


def only(text: str) -> tuple[str, int | None, str, str]:
    """The one line of a text: code, parcel, carrier, number."""
    lines, faults = read_lines(text)
    assert faults == []
    [line] = lines
    return line.code, line.parcel, line.carrier, line.tracking


@pytest.mark.rows("A26")
@pytest.mark.parametrize(
    "text",
    [
        "K7F3-QD9M;Colissimo;6A123",
        "k7f3qd9m , Colissimo , 6A123",
        "K7F3-QD9M\tColissimo\t6A123\r\n",
        "sep=;\nK7F3-QD9M;Colissimo;6A123".partition("\n")[2],
        "\ufeffcommande;transporteur;numéro de suivi\nK7F3-QD9M;Colissimo;6A123",
        'N° de suivi;Transporteur;N° commande\n="6A123";"Colissimo";K7F3-QD9M',
        "Order,Weight,Tracking number,Carrier\nK7F3-QD9M,12,6A123,Colissimo",
        '"K7F3-QD9M"|"Colissimo"|\'6A123',
        "\n\n;;;\nK7F3-QD9M;Colissimo;6A123;;\n",
    ],
)
def test_every_way_of_writing_a_line_is_read(text: str) -> None:
    assert only(text) == (CODE, None, "Colissimo", "6A123")


@pytest.mark.parametrize(
    ("text", "parcel"),
    [
        ("K7F3-QD9M/2;6A123", 2),
        ("K7F3QD9M-2 6A123", 2),
        ("K7F3-QD9M colis 2;;6A123", 2),
        ("commande;colis;suivi\nK7F3-QD9M;2;6A123", 2),
        ("K7F3-QD9M 6A123", None),
    ],
)
def test_a_parcel_is_named_within_its_order(text: str, parcel: int | None) -> None:
    assert only(text)[:2] == (CODE, parcel)
    assert only(text)[3] == "6A123"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("K7F3-QD9M;;", "no_tracking"),
        ("nobody;Colissimo;6A123", "no_code"),
        (";Colissimo;6A123", "no_code"),
        ("K7F3-QD9M;Colissimo;1,23E+12", "damaged_number"),
        ("K7F3-QD9M" + " " * 2000 + "x;6A123", "no_code"),
        ("K7F3-QD9M;Colissimo;" + "1" * 101, "too_long"),
        ("K7F3-QD9M", "too_few_columns"),
        ("K7F3-QD9M/2;3;Colissimo;6A1", "no_code"),
    ],
)
def test_a_bad_line_gives_the_reason_and_the_others_are_read(line: str, why: str) -> None:
    lines, faults = read_lines(f"K7F3-QD9M;Colissimo;6A1\n{line}\nK7F3-QD9M;Colissimo;6A2")
    assert [(fault.line, fault.why) for fault in faults] == [(2, why)]
    assert [read.tracking for read in lines] == ["6A1", "6A2"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_every_usual_encoding_is_understood(encoding: str) -> None:
    text = "numéro de commande;n° de suivi;transporteur\nK7F3-QD9M;6A123;Déménageur à vélo"
    assert only(decoded(text.encode(encoding))) == (CODE, None, "Déménageur à vélo", "6A123")


def test_an_unclosed_quotation_mark_is_reported() -> None:
    with pytest.raises(LinesUnreadable):
        read_lines('K7F3-QD9M;Colissimo;"6A1\n' + "K7F3-QD9M;Colissimo;6A1\n" * 10_000)


def test_a_tracking_number_with_an_e_is_no_shortened_one() -> None:
    assert only("K7F3-QD9M;Colissimo;6E12345678901")[3] == "6E12345678901"


def test_a_file_has_an_end() -> None:
    with pytest.raises(TooManyLines):
        read_lines("K7F3-QD9M;6A1\n" * (MOST_LINES + 1))


@given(st.text(max_size=400))
def test_no_text_breaks_the_reader(text: str) -> None:
    lines, faults = read_lines(text)
    assert all(line.tracking and len(line.tracking) <= 100 and line.tracking.isprintable() for line in lines)
    assert all(fault.text.isprintable() for fault in faults)


@given(st.binary(max_size=400))
def test_no_file_breaks_the_reader(data: bytes) -> None:
    read_lines(decoded(data))


@given(
    code=st.text(ALPHABET, min_size=8, max_size=8),
    parcel=st.none() | st.integers(1, 99),
    carrier=st.text(st.characters(categories=["L"]), min_size=1, max_size=20),
    delimiter=st.sampled_from(";\t,|"),
)
def test_what_is_written_is_what_is_read(code: str, parcel: int | None, carrier: str, delimiter: str) -> None:
    named = code if parcel is None else f"{code}/{parcel}"
    assert only(delimiter.join([named, carrier, "6A123"])) == (
        f"{code[:4]}-{code[4:]}",
        parcel,
        carrier,
        "6A123",
    )


def test_a_file_of_nul_holds_none_afterwards() -> None:
    for data in (b"a;\0b", "a;\0b".encode("utf-16"), b"\xe9\0", "K7F3-QD9M;6A1".encode("utf-16-le")):
        assert "\0" not in decoded(data)
