"""Numbers and mentions of a business: made ones pass, and one wrong character in them is found, with a sentence."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban, luhn
from stdnum.fr import siren, tva

from contracts.payments.invoices import InvoicingSettings
from services.chassis.identifiers.flaws import SENTENCES, Flaw
from services.chassis.identifiers.numbers import (
    buyer_vat_flaw,
    eu_vat_number,
    iban_flaw,
    siret_flaw,
    vat_flaw,
    vat_number_of,
)
from services.chassis.identifiers.seller import flaws_of, stated_capital

DIGITS = "0123456789"
BUSINESS = InvoicingSettings(
    name="Atelier Kerdrel",
    capital="10 000 €",
    postal_code="35000",
    email="bonjour@kerdrel.example",
    phone="+33 (0)2 99 00 00 00",
    siret="732 829 320 00074",
    vat_number="FR 44 732 829 320",
    iban="FR76 3000 6000 0112 3456 7890 189",
)


def digits(count: int) -> st.SearchStrategy[str]:
    return st.text(DIGITS, min_size=count, max_size=count)


@st.composite
def sirens(draw: st.DrawFn) -> str:
    eight = draw(digits(8).filter(lambda text: not text.startswith(("000", "35600000"))))
    return eight + luhn.calc_check_digit(eight)


@st.composite
def sirets(draw: st.DrawFn) -> str:
    short = draw(sirens()) + draw(digits(4))
    return short + luhn.calc_check_digit(short)


french_vat_numbers = sirens().map(lambda number: f"FR{siren.to_tva(number).replace(' ', '')}")


@st.composite
def german_ibans(draw: st.DrawFn) -> str:
    bban = draw(digits(18))
    return f"DE{iban.calc_check_digits(f'DE00{bban}')}{bban}"


def changed(draw: st.DrawFn, number: str, start: int) -> str:
    """The number with one of its digits from `start` on replaced by another."""
    place = draw(st.integers(start, len(number) - 1))
    return number[:place] + draw(st.sampled_from(DIGITS.replace(number[place], ""))) + number[place + 1 :]


@given(st.data(), st.sampled_from(["", " ", ".", "-", "\u00a0"]))
def test_one_wrong_digit_of_a_number_with_check_digits_is_found(data: st.DataObject, blank: str) -> None:
    for numbers, rule, code, start in (
        (sirets(), siret_flaw, "siret_check_digit", 0),
        (french_vat_numbers, vat_flaw, "vat_number_wrong", 2),
        (german_ibans(), iban_flaw, "iban_wrong", 2),
    ):
        number = data.draw(numbers)
        assert rule(blank.join(re.findall(".{1,4}", number))) is None
        wrong = data.draw(st.composite(changed)(number, start))
        found = rule(wrong)
        assert found is not None
        assert found.code == code
        assert wrong in found.sentence


@given(st.text(max_size=60))
def test_any_text_is_right_or_has_a_sentence(text: str) -> None:
    for rule in (siret_flaw, vat_flaw, iban_flaw):
        found = rule(text)
        assert found is None or (found.code in SENTENCES and found.sentence.endswith("."))
    assert buyer_vat_flaw(text, "FR") is None or eu_vat_number(text, "FR") is None
    for name in ("name", "capital", "postal_code", "email", "phone", "footer", "late_penalty"):
        for one in flaws_of(BUSINESS.model_copy(update={name: text})).values():
            assert one.sentence


@given(st.text(max_size=30))
def test_whatever_can_not_be_printed_is_found(text: str) -> None:
    assert "name" in flaws_of(BUSINESS.model_copy(update={"name": f"{text}\u200b"}))


@pytest.mark.parametrize(
    ("rule", "value", "sentence"),
    [
        (siret_flaw, "123", "A SIRET has 14 digits; 123 has 3. Copy it again, the last five digits too."),
        (siret_flaw, "35600000049837", None),
        (siret_flaw, "7328293200007A", "A SIRET has digits only; 7328293200007A has other characters."),
        (vat_flaw, "FRXX", "A VAT number that begins with FR has 13 characters; FRXX has 4."),
        (vat_flaw, "44732829320", "A VAT number begins with the two letters of its country"),
        (vat_flaw, "EL094259216", None),
        (vat_flaw, "GR094259216", None),
        (vat_flaw, "GB999999973", None),
        (vat_flaw, "CHE-107.787.577 IVA", None),
        (vat_flaw, "US12345", None),
        (iban_flaw, "FR00", "An IBAN that begins with FR has 27 characters; FR00 has 4."),
        (iban_flaw, "ZZ68539007547034", "begins with the two letters of a country that has IBANs"),
        (iban_flaw, "GB82 WEST 1234 5698 7654 32", None),
    ],
)
def test_the_sentence_names_value_limit_and_remedy(rule: Any, value: str, sentence: str | None) -> None:
    found: Flaw | None = rule(value)
    assert (found is None) == (sentence is None)
    assert found is None or (sentence or "") in found.sentence


def test_every_field_of_the_mentions_is_checked() -> None:
    assert flaws_of(BUSINESS) == {}
    assert flaws_of(InvoicingSettings()) == {}
    wrong = {
        "country": "ZZ",
        "iban": "FR00",
        "email": "not an address",
        "vat_number": "FRXX",
        "siret": "123",
        "phone": "call us",
        "capital": "ten thousand",
        "city": "Ren\u0007nes",
        "footer": "a\u202eb",
    }
    assert set(flaws_of(BUSINESS.model_copy(update=wrong))) == set(wrong)
    assert set(flaws_of(BUSINESS.model_copy(update={"postal_code": "3500"}))) == {"postal_code"}
    assert flaws_of(BUSINESS.model_copy(update={"country": "IE", "postal_code": "D02 X285"})) == {}


@pytest.mark.parametrize(
    ("capital", "is_right"),
    [("10 000 €", True), ("variable, minimum 1 000 EUR", True), ("1,000.50 GBP", True), ("1 000 euros", True),
     ("1 000 000 F CFP", True), ("1 000 000 FCFP", True), ("1 000 000 XPF", True), ("500 000 f. cfp", True),
     ("10000EUR", True), ("50 000 FRF", True), ("7 TOP", True), ("au capital de 10 000 €", True),
     ("10 000 XXX", False), ("abc 5 all", False), ("7 top", False), ("10 000 XAU", False), ("5 neuros", False),
     ("10 000", False), ("0 €", False), ("-5 €", False), ("€", False)],
)  # fmt: skip
def test_a_capital_is_an_amount_above_zero_with_its_currency(capital: str, is_right: bool) -> None:
    assert ("capital" in flaws_of(BUSINESS.model_copy(update={"capital": capital}))) != is_right


@pytest.mark.parametrize(
    ("written", "stated"),
    [("au capital de 10 000 €", "10 000 €"), ("SARL au capital social de 10 000 €", "10 000 €"),
     ("Capital : 10 000 €", "10 000 €"), ("Share capital of €5,000", "€5,000"), ("10 000 € de capital", "10 000 €"),
     ("10 000 € share capital", "10 000 €"), (" 10 000 € ", "10 000 €"),
     ("variable, minimum 1 000 EUR", "variable, minimum 1 000 EUR")],
)  # fmt: skip
def test_a_capital_is_printed_without_the_words_before_it(written: str, stated: str) -> None:
    assert stated_capital(written) == stated


def test_a_buyers_number_may_lack_its_prefix_and_is_checked_in_the_eu_only() -> None:
    assert eu_vat_number("811 569 869", "DE") == "DE811569869"
    assert eu_vat_number("094259216", "GR") == "EL094259216"
    assert eu_vat_number("abc", "DE") is None
    assert buyer_vat_flaw("DE123", "DE") is not None
    assert buyer_vat_flaw("12-3456789", "US") is None
    assert vat_number_of("abc", "DE") == ""
    assert tva.is_valid("44732829320")


def test_a_siret_of_zeros_is_none() -> None:
    found = siret_flaw("000 000 000 00000")
    assert found is not None
    assert found.code == "siret_check_digit"
