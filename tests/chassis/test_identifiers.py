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
from services.chassis.identifiers.postal_codes import is_of_another_country
from services.chassis.identifiers.seller import doubts_of, flaws_of, refusals_of, stated_capital

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


def test_what_no_font_can_print_is_refused_and_holds_nothing_back_where_it_is_stored() -> None:
    for text in ("Boulangerie 🥐", "麵包店", "빵집", "ร้าน", "Pain 👩‍🍳"):
        shop = BUSINESS.model_copy(update={"trade_name": text, "footer": f"Merci !\n{text}"})
        assert flaws_of(shop) == {}
        assert set(refusals_of(shop)) == set(doubts_of(shop)) == {"trade_name", "footer"}
        assert {one.code for one in refusals_of(shop).values()} == {"text_not_in_fonts"}
    assert refusals_of(BUSINESS.model_copy(update={"trade_name": "Łódź Ελλάς Кафе"})) == {}
    assert "👩‍🍳" in refusals_of(shop)["trade_name"].sentence


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


@pytest.mark.parametrize("code", ["99999", "00100"])
def test_a_french_postal_code_without_departement_is_named_as_such(code: str) -> None:
    found = flaws_of(BUSINESS.model_copy(update={"postal_code": code}))["postal_code"]
    assert f"a département, from 01 to 98; “{code}” begins with {code[:2]}." in found.sentence


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


@pytest.mark.parametrize(
    ("country", "code"),
    [
        ("FR", "35000"), ("FR", "97400"), ("FR", "35 000"), ("MC", "98000"), ("MC", "MC-98000"), ("GP", "97110"),
        ("MF", "97150"), ("BL", "97133"), ("RE", "97420"), ("DE", "10115"), ("DE", "D-10115"), ("AT", "A – 1010"),
        ("BE", "1000"), ("CH", "CH-1200"), ("LU", "L-1855"), ("NL", "1012 AB"), ("NL", "1012"), ("PT", "1000-001"),
        ("PL", "00-001"), ("SE", "111 22"), ("CZ", "110 00"), ("LT", "LT-01100"), ("LV", "LV-1010"), ("RO", "010011"),
        ("GB", "SW1A 1AA"), ("GB", "m1 1ae"), ("GB", "GIR 0AA"), ("XI", "BT1 5GS"), ("IE", "D04 AB12"), ("IE", "D6W"),
        ("MT", "VLT 1117"), ("MT", "VLT-1117"), ("US", "10001-1234"), ("CA", "K1A 0B1"), ("IS", "101"),
        ("DE", "\uff11\uff10\uff11\uff11\uff15"), ("JP", "anything"), ("HK", ""),
    ],
)  # fmt: skip
def test_a_postal_code_of_its_own_country_is_not_doubted(country: str, code: str) -> None:
    assert not is_of_another_country(code, country)


@pytest.mark.parametrize(
    ("country", "code"),
    [
        ("BE", "35000"), ("DE", "1200"), ("DE", "SW1A 1AA"), ("FR", "98000"), ("GP", "35000"), ("RE", "97100"),
        ("GB", "75001"), ("NL", "10115"), ("LU", "75001"), ("MC", "75001"), ("IE", "75001"), ("US", "SW1A 1AA"),
        ("CH", "75001"), ("PT", "12345"), ("MT", "12345"), ("CA", "10001"),
    ],
)  # fmt: skip
def test_a_postal_code_that_its_country_can_not_have_is_doubted(country: str, code: str) -> None:
    shop = BUSINESS.model_copy(update={"country": country, "postal_code": code})
    assert flaws_of(shop) == {}
    assert doubts_of(shop)["postal_code"].sentence == (
        f"“{code}” can’t be a postal code of the country {country}. Check the postal code and the country."
    )


@given(sirets(), french_vat_numbers)
def test_a_vat_number_of_another_siren_than_the_sirets_is_doubted(siret: str, vat_number: str) -> None:
    own = f"FR{siren.to_tva(siret[:9]).replace(' ', '')}"
    assert doubts_of(BUSINESS.model_copy(update={"siret": siret, "vat_number": own})) == {}
    shop = BUSINESS.model_copy(update={"siret": siret, "vat_number": vat_number})
    found = doubts_of(shop)
    assert flaws_of(shop) == {}
    assert (set(found) == {"vat_number"}) is (vat_number[4:] != siret[:9])
    for one in found.values():
        assert f"SIREN {vat_number[4:]}, the SIRET to {siret[:9]}." in one.sentence


@pytest.mark.parametrize(
    "changes",
    [
        {"siret": ""},
        {"vat_number": ""},
        {"vat_number": "DE811569869"},
        {"siret": "123"},
        {"vat_number": "FR00732829320"},
        {"postal_code": ""},
        {"postal_code": "123"},
        {"country": "ZZ", "postal_code": "123"},
    ],
)
def test_what_is_empty_or_wrong_is_not_doubted_too(changes: dict[str, str]) -> None:
    assert doubts_of(BUSINESS.model_copy(update=changes)) == {}
