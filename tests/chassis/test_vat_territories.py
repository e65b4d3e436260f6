"""VAT territories: places that are outside, or inside, that of the country they are addressed with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.identifiers.countries import EU, KNOWN
from services.chassis.identifiers.vat_territories import is_export, is_within_eu, vat_territory

COUNTRIES = st.sampled_from(sorted(KNOWN))
CODES = st.none() | st.text("0123456789ABT -", max_size=8)
ADDRESSES = st.tuples(COUNTRIES, CODES)
BREST = ("FR", "29200")


@pytest.mark.parametrize(
    ("place", "is_exported", "is_intra_community"),
    [
        (("FR", "75001"), False, False),
        (("FR", "20000"), False, False),  # Corsica
        (("MC", "98000"), False, False),
        (("FR", "98000"), False, False),  # Monaco, written as France
        (("GP", "97100"), True, False),
        (("FR", "97100"), True, False),
        (("MQ", None), True, False),
        (("FR", "97200"), True, False),
        (("RE", "97400"), True, False),
        (("FR", "97 400"), True, False),
        (("GF", "97300"), True, False),
        (("FR", "F-97300"), True, False),
        (("YT", None), True, False),
        (("FR", "97600"), True, False),
        (("FR", "97133"), True, False),
        (("MF", "97150"), True, False),
        (("PM", "97500"), True, False),
        (("NC", "98800"), True, False),
        (("FR", "98714"), True, False),
        (("DE", "10115"), False, True),
        (("DE", "78266"), True, False),  # Büsingen
        (("DE", "D-27498"), True, False),  # Helgoland
        (("ES", "28001"), False, True),
        (("ES", "07001"), False, True),  # Balearic Islands
        (("ES", "35001"), True, False),
        (("ES", "3501"), False, True),  # Benidorm, 03501, as spreadsheets cut it
        (("FI", "2230"), False, True),  # Espoo, 02230
        (("FR", "９７４００"), True, False),
        (("IC", "38001"), True, False),
        (("ES", "51001"), True, False),
        (("ES", "52001"), True, False),
        (("FI", "00100"), False, True),
        (("FI", "22100"), True, False),
        (("AX", "22100"), True, False),
        (("GR", "104 31"), False, True),
        (("GR", "630 86"), True, False),  # Mount Athos
        (("IT", "20121"), False, True),
        (("IT", "23041"), True, False),  # Livigno
        (("IT", "22061"), True, False),  # Campione d'Italia
        (("IT", "47890"), True, False),  # San Marino, written as Italy
        (("SM", "47890"), True, False),
        (("VA", "00120"), True, False),
        (("PT", "9000-001"), False, True),  # Madeira
        (("PT", "9500-001"), False, True),  # Azores
        (("DK", "1050"), False, True),
        (("DK", "3900"), True, False),  # Greenland
        (("FO", "100"), True, False),
        (("CY", "1010"), False, True),
        (("AT", "6691"), False, True),  # Jungholz
        (("AD", "AD500"), True, False),
        (("GI", None), True, False),
        (("CH", "8238"), True, False),
        (("GB", "N1 9GU"), True, False),
        (("GB", None), True, False),
        (("GB", "BT1 5GS"), False, True),
        (("XI", None), False, True),
        (("IM", "IM1 1AA"), True, False),
        (("JE", "JE2 3AB"), True, False),
    ],
)
def test_goods_from_mainland_france(
    place: tuple[str, str | None], is_exported: bool, is_intra_community: bool
) -> None:
    origin, destination = vat_territory(*BREST), vat_territory(*place)
    assert is_export(origin, destination) is is_exported
    assert is_within_eu(origin, destination) is is_intra_community


@pytest.mark.parametrize(
    ("origin", "destination", "is_exported"),
    [
        (("RE", "97400"), BREST, True),
        (("RE", "97400"), ("MQ", "97200"), True),
        (("RE", "97400"), ("FR", "97460"), False),
        (("GP", "97100"), ("FR", "97200"), False),  # Guadeloupe and Martinique are one
        (("GP", "97100"), ("DE", "10115"), True),
        (("GP", "97100"), ("US", "10001"), True),
        (("MC", "98000"), ("RE", "97400"), True),
        (("GF", "97300"), BREST, False),  # VAT does not apply there at all
        (("NC", "98800"), BREST, False),
        (("GB", "BT1 5GS"), ("GB", "N1 9GU"), False),  # both in the United Kingdom
        (("GB", "BT1 5GS"), ("IM", "IM1 1AA"), False),
        (("GB", "N1 9GU"), ("GB", "BT1 5GS"), False),
        (("GB", "BT1 5GS"), ("CH", "8238"), True),
        (("GB", "N1 9GU"), ("IM", "IM1 1AA"), False),
        (("ES", "28001"), ("ES", "35001"), True),
    ],
)
def test_goods_from_elsewhere(
    origin: tuple[str, str], destination: tuple[str, str], is_exported: bool
) -> None:
    assert is_export(vat_territory(*origin), vat_territory(*destination)) is is_exported


@given(ADDRESSES, ADDRESSES)
def test_a_sale_is_at_home_or_within_the_eu_or_an_export(
    one: tuple[str, str | None], other: tuple[str, str | None]
) -> None:
    origin, destination = vat_territory(*one), vat_territory(*other)
    assert not (is_export(origin, destination) and is_within_eu(origin, destination))
    assert is_within_eu(origin, destination) is is_within_eu(destination, origin)
    assert not is_export(origin, origin)
    if is_within_eu(origin, destination):
        assert {origin, destination} <= EU | {"XI"}
    if origin in EU and destination != origin:
        assert is_export(origin, destination) is not is_within_eu(origin, destination)


@given(COUNTRIES)
def test_without_a_postal_code_a_country_is_its_own_territory_or_a_known_neighbours(country: str) -> None:
    assert vat_territory(country, None) == {"MC": "FR", "IM": "GB", "MQ": "GP"}.get(country, country)
