"""The customer's link leads to the carrier's own page for that number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fulfillment.order.carriers import PAGES, tracking_url


@pytest.mark.parametrize(
    ("carrier", "number", "url"),
    [
        ("Colissimo", "6A12345678901", "https://www.laposte.fr/outils/suivre-vos-envois?code=6A12345678901"),
        (
            "La Poste – Lettre suivie",
            "87000 1234",
            "https://www.laposte.fr/outils/suivre-vos-envois?code=870001234",
        ),
        ("CHRONOPOST", "XY1", "https://www.chronopost.fr/tracking-no-cms/suivi-page?listeNumerosLT=XY1"),
        (
            "Mondial Relay",
            "12345678",
            "https://www.mondialrelay.fr/suivi-de-colis/?numeroExpedition=12345678",
        ),
        ("DPD", "250", "https://trace.dpd.fr/fr/trace/250"),
        ("UPS Standard", "1Z999AA1", "https://www.ups.com/track?loc=fr_FR&tracknum=1Z999AA1"),
        ("DHL Express", "JD01", "https://www.dhl.com/fr-fr/home/tracking.html?tracking-id=JD01"),
        ("gls", "44", "https://gls-group.com/FR/fr/suivi-colis/?match=44"),
        ("FedEx", "77", "https://www.fedex.com/fedextrack/?trknbr=77"),
    ],
)
def test_known_carriers(carrier: str, number: str, url: str) -> None:
    assert tracking_url(carrier, number) == url


@pytest.mark.parametrize(
    ("carrier", "postal_code", "url"),
    [
        (
            "Mondial Relay – Point Relais",
            "44 000",
            "https://www.mondialrelay.fr/suivi-de-colis/?numeroExpedition=12345678&codePostal=44000",
        ),
        ("Mondial Relay", "", "https://www.mondialrelay.fr/suivi-de-colis/?numeroExpedition=12345678"),
        ("mondialrelay", None, "https://www.mondialrelay.fr/suivi-de-colis/?numeroExpedition=12345678"),
        ("DPD", "44000", "https://trace.dpd.fr/fr/trace/12345678"),
        ("Coursier du quartier", "44000", None),
    ],
)
def test_a_page_that_requests_the_postal_code_gets_it(
    carrier: str, postal_code: str | None, url: str | None
) -> None:
    assert tracking_url(carrier, "12 345 678", postal_code) == url


@pytest.mark.parametrize("carrier", ["Coursier du quartier", "Groupsmail", "", "é"])
def test_an_unknown_carrier_has_no_link(carrier: str) -> None:
    assert tracking_url(carrier, "123") is None


@given(st.sampled_from(sorted(PAGES)), st.text(max_size=100))
def test_a_number_never_changes_where_the_link_leads(carrier: str, number: str) -> None:
    url = tracking_url(carrier, number)
    before, after = PAGES[carrier].split("{number}")
    if url is None:
        assert not "".join(number.split())
        return
    assert url.startswith(before)
    assert after == ""
    assert not set(url[len(before) :]) & set("/?#& <>\"'")
