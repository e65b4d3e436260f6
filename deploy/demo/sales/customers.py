"""Made-up customers: French and foreign names, addresses in real towns, mail addresses that reach nobody."""

import unicodedata
from random import Random

from contracts.storefront import Address, Customer

MAIL_DOMAIN = "example.org"
"""Reserved by RFC 2606."""

_FIRST = [
    "Aïcha",
    "Baptiste",
    "Camille",
    "Denis",
    "Élodie",
    "Farid",
    "Gaëlle",
    "Hugo",
    "Inès",
    "Jules",
    "Karima",
    "Léon",
    "Maud",
    "Noé",
    "Odile",
    "Paul",
    "Rose",
    "Samir",
    "Théa",
    "Yann",
]
_LAST = [
    "Aubert",
    "Benali",
    "Carlier",
    "Delmas",
    "Étienne",
    "Faure",
    "Guérin",
    "Hamon",
    "Imbert",
    "Jacquet",
    "Kermarrec",
    "Lopez",
    "Masson",
    "Nguyen",
    "Oliveira",
    "Perrin",
]
_FIRST_ABROAD = [
    "Alice",
    "Brian",
    "Carla",
    "Dylan",
    "Emma",
    "Finn",
    "Grace",
    "Harry",
    "Isla",
    "Jack",
    "Kate",
    "Liam",
]
_LAST_ABROAD = [
    "Ashworth",
    "Byrne",
    "Claes",
    "De-Vries",
    "Evans",
    "Fischer",
    "Gallagher",
    "Hughes",
    "Jansen",
    "Keller",
]
_TOWNS = (
    ("44000", "Nantes"),
    ("35000", "Rennes"),
    ("69002", "Lyon"),
    ("33000", "Bordeaux"),
    ("59800", "Lille"),
    ("13001", "Marseille"),
)
_TOWNS_ABROAD = (
    ("1000", "Bruxelles", "BE"),
    ("D02", "Dublin", "IE"),
    ("1012 AB", "Amsterdam", "NL"),
    ("10115", "Berlin", "DE"),
)
_STREETS = (
    "rue des Tanneurs",
    "rue du Faubourg",
    "quai de la Fosse",
    "place du Marché",
    "allée des Tilleuls",
    "rue Basse",
)
_BROWSERS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1",
)


def mail_address(name: str, number: int) -> str:
    """A mail address for a name, distinct by number: `elodie.faure.12@example.org`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return f"{'.'.join(plain.split())}.{number}@{MAIL_DOMAIN}"


def customer(chance: Random, number: int, locale: str) -> Customer:
    """Someone who orders; every fifth from France buys for a company."""
    first, last = (_FIRST, _LAST) if locale.startswith("fr") else (_FIRST_ABROAD, _LAST_ABROAD)
    name = f"{chance.choice(first)} {chance.choice(last)}"
    return Customer(
        name=name,
        email=mail_address(name, number),
        phone=f"+33 6 00 00 {number % 100:02d} {number // 100 % 100:02d}",
        company=f"Librairie {name.split()[-1]}" if locale.startswith("fr") and number % 5 == 0 else None,
        ip_address=f"192.0.2.{number % 250 + 1}",
        browser=chance.choice(_BROWSERS),
    )


def address(chance: Random, buyer: Customer, locale: str) -> Address:
    """Where that someone lives."""
    if locale.startswith("fr"):
        postal_code, city = chance.choice(_TOWNS)
        country = "FR"
    else:
        postal_code, city, country = chance.choice(_TOWNS_ABROAD)
    return Address(
        name=buyer.name,
        street=f"{chance.randint(1, 120)} {chance.choice(_STREETS)}",
        postal_code=postal_code,
        city=city,
        country=country,
        phone=buyer.phone,
    )
