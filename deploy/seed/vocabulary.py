"""What seeded orders are made of: people, baskets, days. All of it invented, all of it the same in every run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from contracts.storefront import LineKind, Module, OrderSubmitted, PaymentMethod
from deploy.demo.sales.baskets import FILL
from deploy.demo.sales.submitting import submission

BASKETS = {
    Module.SHOP: 160,
    Module.EVENTS: 24,
    Module.PRICE_TABLE: 24,
    Module.RESTAURANT: 16,
    Module.SLOTS: 16,
}
"""Different baskets by module."""
MODULE_PERCENT = {
    Module.SHOP: 62,
    Module.EVENTS: 13,
    Module.PRICE_TABLE: 7,
    Module.RESTAURANT: 11,
    Module.SLOTS: 7,
}
METHOD_PERMILLE = {
    PaymentMethod.CARD: 560,
    PaymentMethod.PAYPAL: 160,
    PaymentMethod.TRANSFER: 120,
    PaymentMethod.CHEQUE: 85,
    PaymentMethod.CASH: 55,
    PaymentMethod.OTHER: 20,
}
WEEKDAYS = (8, 10, 11, 11, 13, 16, 14)
"""How much is sold on Mondays, Tuesdays, …"""
HOURS = (2, 1, 1, 1, 1, 1, 2, 4, 7, 10, 12, 12, 13, 11, 11, 12, 12, 13, 14, 15, 17, 16, 11, 5)
"""How much is sold in each hour of a day."""
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
TOWNS = (
    ("44000", "Nantes", "FR"),
    ("35000", "Rennes", "FR"),
    ("69002", "Lyon", "FR"),
    ("33000", "Bordeaux", "FR"),
    ("59800", "Lille", "FR"),
    ("13001", "Marseille", "FR"),
    ("75011", "Paris", "FR"),
    ("31000", "Toulouse", "FR"),
    ("1000", "Bruxelles", "BE"),
    ("10115", "Berlin", "DE"),
)
STREETS = ("rue des Tanneurs", "rue du Faubourg", "quai de la Fosse", "place du Marché", "allée des Tilleuls")
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0"
CARRIERS = ("Colissimo", "Mondial Relay", "Chronopost", "DHL", "DPD", "Lettre suivie")
TAGS = (
    ("VIP", "purple"),
    ("Urgent", "red"),
    ("Cadeau", "teal"),
    ("Fidèle", "blue"),
    ("À rappeler", "orange"),
    ("Presse", "grey"),
    ("Professionnel", "green"),
    ("Litige évité", "ochre"),
)
MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
"""When the baskets were filled; an order's own times are as long after its placing."""


@dataclass(frozen=True)
class Basket:
    """A basket: its sale as a storefront sends it, without customer, key and times of its own."""

    number: int
    module: Module
    sale: OrderSubmitted

    @property
    def goods(self) -> int:
        """Units to ship."""
        return sum(line.quantity for line in self.sale.lines if line.kind is LineKind.SHIP)

    @property
    def others(self) -> int:
        """Tickets, bookings, services."""
        return sum(line.quantity for line in self.sale.lines if line.kind is not LineKind.SHIP)


def baskets(shop: str) -> list[Basket]:
    """All baskets, module by module."""
    chance = Random("baskets")
    found: list[Basket] = []
    for module, count in BASKETS.items():
        for _ in range(count):
            filled = FILL[module](chance, "fr", MOMENT)
            sale = submission(
                shop=shop,
                module=module,
                idempotency_key="-",
                locale="fr",
                currency="EUR",
                prices_include_tax=True,
                customer={"name": "-", "email": "a@example.org"},
                lines=filled.lines,
                shipping=filled.shipping,
                extra_lines=filled.extra_lines,
                submitted_at=MOMENT,
            )
            found.append(Basket(len(found), module, sale))
    return found


def day_weights(until: date, days: int) -> tuple[list[date], list[float]]:
    """The days before `until` with the share of all orders that falls on or before each; business grows slowly."""
    every = [until - timedelta(days=days - number) for number in range(days)]
    weights = [WEEKDAYS[day.weekday()] * (1 + number / days) for number, day in enumerate(every)]
    return every, _cumulated(weights)


def hour_shares() -> list[float]:
    """The share of a day's orders placed before the end of each hour."""
    return _cumulated(HOURS)


def _cumulated(weights: Sequence[float]) -> list[float]:
    total, reached, shares = sum(weights), 0.0, []
    for weight in weights:
        reached += weight
        shares.append(reached / total)
    return shares


def picks(shares: dict[Any, int], size: int) -> list[Any]:
    """Each value as often as its share of `size`; the first one fills up."""
    found = [value for value, share in shares.items() for _ in range(share)]
    return [*found, *[next(iter(shares))] * (size - len(found))][:size]
