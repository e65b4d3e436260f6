"""Made-up customers: French and foreign names, addresses in real towns, mail addresses that reach nobody."""

import unicodedata
from random import Random

from contracts.sale import Address, Customer

MAIL_DOMAIN = "example.org"
"""Reserved by RFC 2606."""

_FIRST = """Adèle Aïcha Alain Amélie Anaïs André Antoine Ariane Arthur Aurélie Baptiste Béatrice Benoît Bérénice Bruno
Camille Cécile Céline Chloé Claire Clément Colette Cyril Damien Danièle David Denis Diane Édith Élise Élodie Émile
Emma Éric Estelle Étienne Fabien Fanny Farid Félix Florence François Gaëlle Gérard Gilles Grégoire Hélène Henri Hugo
Inès Irène Isabelle Jacques Jeanne Jérôme Joël Jules Julie Karim Karima Laure Laurent Léa Léon Louise Lucas Ludovic
Maëlle Malik Manon Marc Marie Mathieu Maud Maxime Mehdi Michèle Nadia Nathalie Nicolas Noé Noémie Odile Olivier Pascal
Paul Pauline Philippe Pierre Rachel Raphaël Rémi René Romain Rose Samir Sarah Sébastien Simon Solène Sophie Stéphane
Sylvie Théa Théo Thérèse Thomas Valérie Victor Vincent Virginie Xavier Yann Yasmine Yves Zoé"""
_LAST = """Abadie Adam Allard André Arnaud Aubert Aubry Bailly Barbier Baron Barré Benali Benoît Berger Bernard Bertin
Besson Blanc Blanchard Bonnet Bouchet Boulanger Bourgeois Bouvier Boyer Breton Brun Brunet Carlier Caron Carpentier
Charles Charpentier Chevalier Clément Colin Collet Cordier Cousin Da-Silva David Delmas Denis Deschamps Diallo Dubois
Dufour Dumas Dupont Dupuis Durand Duval Étienne Fabre Faure Fernandez Fleury Fontaine Fournier François Gaillard
Garcia Garnier Gauthier Gautier Gérard Germain Giraud Girard Guérin Guillaume Guillot Hamon Henry Hervé Hoarau Hubert
Huet Imbert Jacquet Jean Joly Julien Kermarrec Klein Lacroix Lambert Langlois Laurent Leblanc Leclerc Lecomte Lefèvre
Léger Legrand Lemaire Lemoine Leroux Leroy Lopez Louis Lucas Mallet Marchal Marchand Marie Martin Martinez Marty Masson
Mathieu Ménard Mercier Meunier Meyer Michel Millet Moreau Morel Morin Moulin Muller Nguyen Nicolas Noël Olivier
Oliveira Paris Pelletier Perez Perrin Petit Philippe Picard Pierre Poirier Prévost Quéré Rémy Renard Renaud Rey Richard
Rivière Robert Robin Roche Rodriguez Roger Rolland Rousseau Roussel Roux Roy Royer Sanchez Schmitt Schneider Simon
Thomas Tessier Vasseur Vidal Vincent Weber"""
FIRST, LAST = _FIRST.split(), _LAST.split()
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
TOWNS = (
    ("44000", "Nantes", "FR"),
    ("35000", "Rennes", "FR"),
    ("69002", "Lyon", "FR"),
    ("33000", "Bordeaux", "FR"),
    ("59800", "Lille", "FR"),
    ("13001", "Marseille", "FR"),
    ("75011", "Paris", "FR"),
    ("31000", "Toulouse", "FR"),
)
TOWNS_ABROAD = (
    ("1000", "Bruxelles", "BE"),
    ("10115", "Berlin", "DE"),
    ("D02", "Dublin", "IE"),
    ("1012 AB", "Amsterdam", "NL"),
)
STREETS = (
    "rue des Tanneurs",
    "rue du Faubourg",
    "quai de la Fosse",
    "place du Marché",
    "allée des Tilleuls",
    "rue Basse",
)
BROWSERS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1",
)


def mail_address(name: str, number: int) -> str:
    """Return a mail address for a name, distinct by number: `elodie.faure.12@example.org`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return f"{'.'.join(plain.split())}.{number}@{MAIL_DOMAIN}"


def customer(chance: Random, number: int, locale: str) -> Customer:
    """Return a customer; every fifth from France buys for a company."""
    first, last = (FIRST, LAST) if locale.startswith("fr") else (_FIRST_ABROAD, _LAST_ABROAD)
    name = f"{chance.choice(first)} {chance.choice(last)}"
    return Customer(
        name=name,
        email=mail_address(name, number),
        phone=f"+33 6 00 00 {number % 100:02d} {number // 100 % 100:02d}",
        company=f"Librairie {name.split()[-1]}" if locale.startswith("fr") and number % 5 == 0 else None,
        ip_address=f"192.0.2.{number % 250 + 1}",
        browser=chance.choice(BROWSERS),
    )


def address(chance: Random, buyer: Customer, locale: str) -> Address:
    """Return an address in the country."""
    if locale.startswith("fr"):
        postal_code, city, country = chance.choice(TOWNS)
    else:
        postal_code, city, country = chance.choice(TOWNS_ABROAD)
    return Address(
        name=buyer.name,
        street=f"{chance.randint(1, 120)} {chance.choice(STREETS)}",
        postal_code=postal_code,
        city=city,
        country=country,
        phone=buyer.phone,
    )
