"""Countries as people type them."""

import pytest
from babel import Locale

from services.chassis.identifiers.countries import KNOWN
from services.orders.backoffice.language.countries import country_code


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("Germany", "DE"),
        ("allemagne", "DE"),
        (" ALLEMAGNE ", "DE"),
        ("de", "DE"),
        ("GE", "GE"),
        ("Georgia", "GE"),
        ("Géorgie", "GE"),
        ("Etats-Unis", "US"),
        ("U.S.A.", "US"),
        ("the Netherlands", "NL"),
        ("Les Pays-Bas", "NL"),
        ("UK", "GB"),
        ("U.K.", "GB"),
        ("Northern Ireland", "GB"),
        ("Hong-Kong", "HK"),
        ("L’île Maurice", "MU"),
        ("Vatican", "VA"),
        ("Cote d'Ivoire", "CI"),
        ("Saint-Martin", "MF"),
        ("La Réunion", "RE"),
    ],
)
def test_a_country_is_its_code_or_its_name_in_either_language(typed: str, code: str) -> None:
    assert country_code(typed) == code


@pytest.mark.parametrize("typed", ["Elbonia", "Germ", "ZZ", "", "F", "Fran", "D E"])
def test_what_is_no_country_stays_as_it_was_typed(typed: str) -> None:
    assert country_code(typed) == typed


@pytest.mark.parametrize("language", ["en", "fr", "en_GB"])
def test_every_name_that_the_pages_show_is_understood(language: str) -> None:
    names = Locale.parse(language).territories
    wrong = {code: names[code] for code in KNOWN if code in names and country_code(names[code]) != code}
    assert wrong == {}
