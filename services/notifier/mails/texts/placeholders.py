"""The placeholders that each mail's texts may hold: a closed list, with a label and an example in both languages.

None of them is a comment for the team, an address or a number of a customer: what is not in this list has no way
into a text.
"""

from dataclasses import dataclass

from services.notifier.mails.texts.planning import LANGUAGES


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A value that a text may show; label and example by language."""

    name: str
    label: dict[str, str]
    example: dict[str, str]


def _one(name: str, labels: tuple[str, str], examples: tuple[str, str]) -> Placeholder:
    return Placeholder(
        name, dict(zip(LANGUAGES, labels, strict=True)), dict(zip(LANGUAGES, examples, strict=True))
    )


_ALL = {
    one.name: one
    for one in (
        _one("customer_name", ("Nom du client", "Customer’s name"), ("Zoé Lefèvre", "Zoé Lefèvre")),
        _one("order_code", ("Code de la commande", "Order code"), ("K7F3-QD9M", "K7F3-QD9M")),
        _one("shop_name", ("Nom de la boutique", "Shop’s name"), ("Atelier Garance", "Atelier Garance")),
        _one(
            "support_email",
            ("E-mail du support", "Support: mail address"),
            ("bonjour@garance.example", "bonjour@garance.example"),
        ),
        _one(
            "support_phone",
            ("Téléphone du support", "Support: phone"),
            ("+33 2 00 00 00 00", "+33 2 00 00 00 00"),
        ),
        _one("order_total", ("Total de la commande", "Order total"), ("49,90 €", "€49.90")),
        _one(
            "order_date",
            ("Date de la commande", "Date of the order"),
            ("22 novembre 2026, 14:05", "22 November 2026, 14:05"),
        ),
        _one("payment_method", ("Mode de paiement", "Payment method"), ("Virement", "Bank transfer")),
        _one("carrier", ("Transporteur", "Carrier"), ("Colissimo", "Colissimo")),
        _one("tracking_number", ("Numéro de suivi", "Tracking number"), ("6A12345678901", "6A12345678901")),
        _one(
            "tracking_url",
            ("Lien de suivi", "Tracking link"),
            ("https://suivi.example/6A12345678901", "https://suivi.example/6A12345678901"),
        ),
        _one("status", ("Statut", "Status"), ("En atelier", "In the workshop")),
        _one("refund_amount", ("Montant remboursé", "Amount refunded"), ("12,50 €", "€12.50")),
        _one(
            "refund_way",
            ("Comment l’argent revient", "How the money is paid back"),
            ("Il repart par le moyen de paiement utilisé.", "It goes back to the way you paid."),
        ),
        _one("document_number", ("Numéro du document", "Document number"), ("F2026-00042", "F2026-00042")),
        _one("author", ("Auteur du message", "Author of the message"), ("Zoé Lefèvre", "Zoé Lefèvre")),
        _one("document_amount", ("Montant du document", "Document amount"), ("49,90 €", "€49.90")),
        _one("basket_total", ("Total du panier", "Basket total"), ("49,90 €", "€49.90")),
        _one("stock_sku", ("Référence de l’article", "Article’s reference"), ("BOUGIE-1", "BOUGIE-1")),
        _one("stock_left", ("Unités disponibles", "Units available"), ("3", "3")),
        _one("stock_threshold", ("Seuil de l’article", "Article’s threshold"), ("5", "5")),
        _one("payment_amount", ("Montant reçu", "Amount received"), ("49,90 €", "€49.90")),
        _one("payment_provider", ("Prestataire de paiement", "Payment provider"), ("Stripe", "Stripe")),
        _one("payment_reference", ("Référence du paiement", "Payment reference"), ("pi_3QK9", "pi_3QK9")),
        _one(
            "refund_date",
            ("Date du remboursement", "Date of the refund"),
            ("22 novembre 2026, 14:05", "22 November 2026, 14:05"),
        ),
        _one("dispute_amount", ("Montant du litige", "Disputed amount"), ("49,90 €", "€49.90")),
        _one("dispute_provider", ("Prestataire du litige", "Provider of the dispute"), ("Stripe", "Stripe")),
        _one(
            "dispute_deadline",
            ("Délai de réponse", "Deadline of the answer"),
            ("25 novembre 2026, 14:05", "25 November 2026, 14:05"),
        ),
    )
}
ALWAYS = ("customer_name", "order_code", "shop_name", "support_email", "support_phone")
"""Placeholders of every mail that is about an order."""
_ORDER = ("order_total", "order_date", "payment_method")
_PARCELS = ("carrier", "tracking_number", "tracking_url")
_OF_WORDING: dict[str, tuple[str, ...]] = {
    "new_order": _ORDER,
    "order_recap": _ORDER,
    "shipment_dispatched": _PARCELS,
    "shipment_updated": _PARCELS,
    "shipment_cancelled": (),
    "parcel_lost": (),
    "status_updated": ("status",),
    "order_cancelled": (),
    "order_cancelled_partly": (),
    "cancellation_declined": (),
    "refund_made": ("refund_amount", "refund_way"),
    "refund_under_way": ("refund_amount", "refund_way"),
    "refund_failed": ("refund_amount",),
    "invoice": ("document_number", "document_amount"),
    "credit_note": ("document_number", "document_amount"),
    "page_link": (),
    "message_posted": (),
    "message_received": ("author",),
    "order_completed": (),
    "checkout_abandoned": ("basket_total",),
    "refund_mark_overdue": ("refund_amount", "refund_date"),
    "dispute_due_soon": ("dispute_amount", "dispute_provider", "dispute_deadline"),
}
_WITHOUT_ORDER: dict[str, tuple[str, ...]] = {
    "stock_low": ("shop_name", "stock_sku", "stock_left", "stock_threshold"),
    "payment_unmatched": ("shop_name", "payment_amount", "payment_provider", "payment_reference"),
}
WORDINGS = (*_OF_WORDING, *_WITHOUT_ORDER)
"""Names of the mails whose texts can be edited; a mail that reads differently by case has one for each."""


def placeholders_of(wording: str) -> tuple[Placeholder, ...]:
    """Return the placeholders of a mail's texts. Raises KeyError for one that cannot be edited."""
    return tuple(_ALL[name] for name in names_of(wording))


def names_of(wording: str) -> tuple[str, ...]:
    """Return their names. Raises KeyError."""
    if wording in _WITHOUT_ORDER:
        return _WITHOUT_ORDER[wording]
    return (*ALWAYS, *_OF_WORDING[wording])
