"""What people type, and what is made of it."""

import re
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from contracts.money import EXPONENTS, MAX_MINOR
from services.orders.backoffice.forms.fields import MOST_BYTES, MOST_FIELDS, Form, Invalid
from services.orders.backoffice.forms.objections import too_long
from services.orders.backoffice.language.formatting import amount, typed_amount
from services.orders.backoffice.language.times import read_day
from services.orders.backoffice.language.translating import PageLocale, using_locale
from services.orders.backoffice.orders.filter_form import typed_amount as list_amount
from tests.backoffice.browser import Backoffice

CURRENCIES = sorted(EXPONENTS)


@given(st.integers(-MAX_MINOR, MAX_MINOR), st.sampled_from(CURRENCIES), st.sampled_from(["fr", "en"]))
def test_an_amount_that_a_form_proposes_is_read_back_as_it_was(
    minor: int, currency: str, language: str
) -> None:
    with using_locale(PageLocale(language)):
        proposed = typed_amount(minor, currency)
        assert Form([("a", proposed)]).amount_minor("a", currency) == minor
        listed = list_amount(minor, currency)
        assert Form([("a", listed)]).amount_minor("a", currency) == minor


@given(st.integers(-MAX_MINOR, MAX_MINOR), st.sampled_from(CURRENCIES), st.sampled_from(["fr", "en"]))
def test_an_amount_is_shown_with_all_the_digits_of_its_currency(
    minor: int, currency: str, language: str
) -> None:
    with using_locale(PageLocale(language)):
        found = re.search(r"\d([\d.,\u202f]*\d)?", amount(minor, currency))
        assert found
        assert Form([("a", found[0])]).amount_minor("a", currency) == abs(minor)
        assert (
            len(found[0].rpartition("," if language == "fr" else ".")[2]) == EXPONENTS[currency]
            or not EXPONENTS[currency]
        )


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [(12345, "IQD", "12,345"), (15052, "RSD", "150,52"), (-5, "MGA", "0,05"), (100, "JPY", "100")],
)
def test_a_currency_has_the_digits_of_the_books_not_those_of_coins(
    minor: int, currency: str, shown: str
) -> None:
    with using_locale(PageLocale("fr")):
        assert shown in amount(minor, currency)
        assert typed_amount(minor, currency).lstrip("-") == shown


@pytest.mark.parametrize(
    ("typed", "minor"),
    [
        ("12,5", 1250),
        ("12.50", 1250),
        ("1 234,50 €", 123450),
        ("1,234.50", 123450),
        ("1.234,50", 123450),
        ("-3", -300),
        ("- 3 €", -300),
        (" 1’234’567.5", 123456750),
        ("12 EUR €", 1200),
        ("1  234", 123400),
        ("+1.234.567,8", 123456780),
        ("12.", 1200),
        ("1\u202f234,5 EUR", 123450),
        ("", None),
        ("  ", None),
    ],
)
def test_amounts_are_read_in_both_ways_of_writing(typed: str, minor: int | None) -> None:
    assert Form([("a", typed)]).amount_minor("a", "EUR") == minor


def test_a_comma_before_three_digits_is_what_the_reader_takes_it_for() -> None:
    with using_locale(PageLocale("en")):
        assert Form([("a", "1,234")]).amount_minor("a", "EUR") == 123400
        assert Form([("a", "1,234,567.89")]).amount_minor("a", "EUR") == 123456789
        assert Form([("a", "+1,234")]).amount_minor("a", "EUR") == 123400
        assert Form([("a", "0,500")]).amount_minor("a", "EUR") == 50
    with using_locale(PageLocale("fr")), pytest.raises(Invalid):
        Form([("a", "1,234")]).amount_minor("a", "EUR")


@pytest.mark.parametrize(
    "typed",
    [
        "12,345",
        "abc",
        "1e3x",
        "1e3",
        "1e999999",
        "1_0",
        ".",
        "NaN",
        "Infinity",
        "12,5,0.1.2",
        "1 2",
        "12 5",
        "1 2345",
        "1,2.3",
        "0 500",
        "0’500",
        "1,50 000",
        "1.5 000",
        "1234.567,8",
        "1234 567",
        "1 234.567,8",
        "1’234 567",
        "1 234,5 6",
        "1.2,3",
        "1 234 5",
        "9" * 40,
        "9" * 90,
    ],
)
def test_what_is_no_amount_is_refused_with_words(typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        Form([("a", typed)]).amount_minor("a", "EUR")
    assert refused.value.errors["a"]


@pytest.mark.parametrize(("typed", "units"), [("1 234", 1234), ("- 3", -3), (" 12 ", 12), ("", None)])
def test_whole_numbers_may_have_groups(typed: str, units: int | None) -> None:
    assert Form([("a", typed)]).whole("a", least=-10) == units


@pytest.mark.parametrize("typed", ["1 2", "12 34", "1 234 5", "0 500", "1,5", "x"])
def test_what_is_no_whole_number_is_refused(typed: str) -> None:
    with pytest.raises(Invalid):
        Form([("a", typed)]).whole("a")


@pytest.mark.parametrize("typed", ["90 071 992 547 409,92", "9" * 30, "9" * 300, "1" + "0" * 60 + ",123"])
def test_an_amount_that_is_too_large_is_distinguished_from_one_that_is_too_precise(typed: str) -> None:
    with using_locale(PageLocale("fr")), pytest.raises(Invalid) as refused:
        Form([("a", typed)]).amount_minor("a", "EUR")
    assert "trop grand" in refused.value.errors["a"]
    assert "90\u202f071\u202f992\u202f547\u202f409,91" in refused.value.errors["a"]


@pytest.mark.parametrize("typed", ["0,001", "12,345", "1," + "0" * 40 + "1", "0," + "0" * 90 + "1"])
def test_an_amount_with_more_digits_than_its_currency_states_how_many_it_has(typed: str) -> None:
    with using_locale(PageLocale("fr")), pytest.raises(Invalid) as refused:
        Form([("a", typed)]).amount_minor("a", "EUR")
    assert refused.value.errors["a"] == "EUR s’écrit avec 2 décimales."


@given(st.integers(MAX_MINOR + 1, 10**60), st.sampled_from(CURRENCIES))
def test_every_currency_has_its_limit(minor: int, currency: str) -> None:
    with using_locale(PageLocale("fr")), pytest.raises(Invalid) as refused:
        Form([("a", str(minor))]).amount_minor("a", currency)
    assert amount(MAX_MINOR, currency) in refused.value.errors["a"]


def test_days_are_read_as_fields_send_them_and_as_people_type_them() -> None:
    assert Form([("d", "2026-11-22")]).day("d") == date(2026, 11, 22)
    assert Form([("d", " 22/11/2026 ")]).day("d") == date(2026, 11, 22)
    assert Form().day("d") is None
    for day in ("1970-01-01", "2200-12-31"):
        assert Form([("d", day)]).day("d") == date.fromisoformat(day)
    for beyond in ("1969-12-31", "2201-01-01", "0001-01-01", "9999-12-31", "01/01/0026"):
        with pytest.raises(Invalid):
            Form([("d", beyond)]).day("d")
    assert (read_day("-infinity"), read_day("infinity")) == (date.min, date.max)
    assert read_day("2026-11-22") == date(2026, 11, 22)
    with pytest.raises(Invalid):
        Form([("d", "31/02/2026")]).day("d")


@given(st.text(max_size=200))
def test_what_was_typed_holds_nothing_the_database_could_not(text: str) -> None:
    value = Form([("t", text)])["t"]
    assert "\0" not in value
    assert "\r" not in value


def test_numbers_keep_to_their_bounds() -> None:
    form = Form([("n", "1 000"), ("bad", "x"), ("big", "11")])
    assert form.whole("n") == 1000
    for name in ("bad", "big"):
        with pytest.raises(Invalid):
            form.whole(name, most=10)


class _Parcel(BaseModel):
    weight_grams: int = Field(ge=0, le=1000)
    kind: str = Field(min_length=1, max_length=5)
    value: Decimal | None = None


def test_a_model_states_what_is_wrong_in_the_readers_language() -> None:
    with using_locale(PageLocale("fr")), pytest.raises(Invalid) as refused:
        Form([("weight_grams", "5000")]).model(_Parcel)
    assert refused.value.errors == {"weight_grams": "Doit être au plus 1000.", "kind": "À remplir."}
    parcel = Form([("weight_grams", "5"), ("kind", "box"), ("value", " ")]).model(_Parcel)
    assert parcel == _Parcel(weight_grams=5, kind="box")


async def test_more_than_a_form_can_hold_is_refused(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in()
    many = [(f"f{number}", "") for number in range(MOST_FIELDS + 1)]
    assert (await browser.post("/preferences", many)).status == 413
    assert (await browser.post("/preferences", {"theme": "x" * (MOST_BYTES + 1)})).status == 413
    wrong = await browser.post("/preferences", {"theme": "dark"}, Content_Type="application/json")
    assert wrong.status == 400


async def test_what_no_form_of_ours_sends_is_reported_and_never_breaks_a_page(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in()
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x"):
        assert (await browser.post("/preferences", {"theme": "dark"}, Content_Type=kind)).status == 400, kind
    without_key = await browser.post("/orders/views", {"name": "Mine", "query": ""})
    assert without_key.status == 400
    assert "does not match the form" in without_key.words


async def test_nul_in_an_address_breaks_no_page(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in()
    assert (await browser.post("/settings/tags/%00", {"key": "0123456789"})).status == 404
    assert (await browser.get("/orders/%00")).status == 404
    assert (await browser.get("/payments?kind=%00")).status == 200


class Shipping(BaseModel):
    """Fields with limits and patterns."""

    name: str = Field(min_length=1, max_length=5)
    country: str = Field(default="FR", pattern=r"^[A-Z]{2}$")
    code: str = Field(default="A", pattern=r"^A$")


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "At most 10,000 characters are allowed; this has 60,000. Shorten it."),
        ("fr", "10\u202f000 caractères au plus\u202f; il y en a 60\u202f000."),
    ],
)
def test_a_limit_is_written_as_numbers_of_the_language(language: str, expected: str) -> None:
    with using_locale(PageLocale(language)):
        assert expected in too_long("x" * 60_000, 10_000)


def test_an_error_names_the_value_the_limit_and_what_to_write() -> None:
    form = Form([("name", "Camille"), ("country", "Elbonia"), ("code", "B")])
    with using_locale(PageLocale("en")), pytest.raises(Invalid) as refused:
        form.model(Shipping)
    assert refused.value.errors == {
        "name": "At most 5 characters are allowed; this has 7. Shorten it.",
        "country": "“Elbonia” is not a country. Enter its name or its ISO 3166 code, such as FR.",
        "code": "“B” does not have the required format. Correct it.",
    }
    with using_locale(PageLocale("en")), pytest.raises(Invalid) as unseen:
        Form([("name", "\u200b \ufeff")]).model(Shipping)
    assert unseen.value.errors == {"name": "This field is required."}
    assert Form([("name", "\u200b \ufeff")]).text("name") is None
