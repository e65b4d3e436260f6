"""The words of an export in French and English: columns, payment statuses, methods, modules."""

from collections.abc import Mapping

COLUMNS: Mapping[str, tuple[str, str]] = {
    "code": ("Commande", "Order"),
    "placed_at": ("Date", "Date"),
    "state": ("Statut", "Status"),
    "payment": ("Paiement", "Payment"),
    "method": ("Mode de paiement", "Payment method"),
    "customer": ("Client", "Customer"),
    "email": ("E-mail", "Email"),
    "country": ("Pays", "Country"),
    "currency": ("Devise", "Currency"),
    "net": ("Total HT", "Net total"),
    "rates": ("TVA {rate} %", "VAT {rate}%"),
    "other_rates": ("TVA taux non précisé", "VAT rate not stated"),
    "tax": ("Total TVA", "VAT total"),
    "shipping": ("Livraison", "Delivery"),
    "total": ("Total TTC", "Total"),
    "received": ("Encaissé", "Received"),
    "refunded": ("Remboursé", "Refunded"),
    "credited": ("Avoirs", "Credits"),
    "balance": ("Solde dû", "Balance due"),
    "module": ("Module", "Module"),
    "reference": ("Référence du module", "Module reference"),
    "provider_references": ("Références de paiement", "Payment references"),
}
"""Headings, in the order of the columns; `rates` is replaced by one column per rate."""
PAYMENT: Mapping[str, tuple[str, str]] = {
    "void": ("Sans objet", "Not applicable"),
    "in_progress": ("Saisie en cours", "In checkout"),
    "abandoned": ("Panier abandonné", "Abandoned cart"),
    "refunded": ("Remboursée", "Refunded"),
    "refund_pending": ("Remboursement en cours", "Refund in progress"),
    "overpaid": ("Trop-perçu", "Overpaid"),
    "partially_refunded": ("Remboursée en partie", "Partly refunded"),
    "paid": ("Payée", "Paid"),
    "partially_paid": ("Payée en partie", "Partly paid"),
    "authorized": ("Autorisée", "Authorised"),
    "pending": ("Paiement en cours", "Payment in progress"),
    "unpaid": ("Non payée", "Unpaid"),
}
METHOD: Mapping[str, tuple[str, str]] = {
    "card": ("Carte", "Card"),
    "paypal": ("PayPal", "PayPal"),
    "cheque": ("Chèque", "Cheque"),
    "transfer": ("Virement", "Bank transfer"),
    "cash": ("Espèces, sur place", "Cash, on site"),
    "other": ("Autre", "Other"),
    "free": ("Gratuit", "Free"),
}
MODULE: Mapping[str, tuple[str, str]] = {
    "shop": ("Boutique", "Shop"),
    "events": ("Événements", "Events"),
    "price_table": ("Tableau des tarifs", "Price table"),
    "restaurant": ("Réservation de restaurant", "Restaurant booking"),
    "slots": ("Réservation de créneaux", "Slot booking"),
}


def word(words: Mapping[str, tuple[str, str]], key: str, language: str) -> str:
    """Return a word in a language, French unless it is `en`; a key without words is returned itself."""
    return words[key][language == "en"] if key in words else key
