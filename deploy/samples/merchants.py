"""Made-up shops: a French bookbinder who sells by every module, and two that sell goods alone.

Mail addresses end in `example.org`, which is reserved (RFC 2606) and reaches nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from contracts.sale import Module
from services.orders.order.shop.colours import Colour


@dataclass(frozen=True)
class Merchant:
    """One shop and the modules it sells by. `profile` is what its mails show of it, `mentions` what its invoices do."""

    shop: str
    modules: tuple[Module, ...]
    profile: Mapping[str, str]
    mentions: Mapping[str, str] = field(default_factory=dict)


GARANCE = Merchant(
    "atelier-garance",
    tuple(Module),
    {
        "shop": "atelier-garance",
        "name": "Atelier Garance",
        "merchant_email": "commandes@garance.example.org",
        "from_email": "boutique@garance.example.org",
        "reply_to": "bonjour@garance.example.org",
        "support_email": "bonjour@garance.example.org",
        "support_phone": "+33 2 00 00 00 00",
        "opening_hours": "mar–sam 10 h–18 h 30",
        "default_locale": "fr",
        "time_zone": "Europe/Paris",
        "postal_address": "Atelier Garance\n12 rue des Relieurs\n44000 Nantes",
        "iban": "FR76 3000 6000 0112 3456 7890 189",
        "bic": "AGRIFRPPXXX",
        "siret": "123 456 782 00010",
        "vat_number": "FR 11 123456782",
    },
    {
        "issue_at": "payment",
        "name": "Garance Leroy",
        "trade_name": "Atelier Garance",
        "legal_form": "EI",
        "street": "12 rue des Relieurs",
        "postal_code": "44000",
        "city": "Nantes",
        "country": "FR",
        "email": "bonjour@garance.example.org",
        "phone": "+33 2 00 00 00 00",
        "siret": "123 456 782 00010",
        "registration": "RCS Nantes",
        "vat_regime": "normal",
        "vat_number": "FR11123456782",
        "exemption_reason": "Exonération de TVA, art. 261-4-4° du CGI",
        "late_penalty": "trois fois le taux d’intérêt légal",
        "early_discount": "pas d’escompte pour paiement anticipé",
        "iban": "FR76 3000 6000 0112 3456 7890 189",
        "invoice_prefix": "F",
        "credit_note_prefix": "A",
        "time_zone": "Europe/Paris",
    },
)
TRUMPET = Merchant(
    "brass-trumpet",
    (Module.SHOP,),
    {
        "shop": "brass-trumpet",
        "name": "The Brass Trumpet",
        "merchant_email": "orders@trumpet.example.org",
        "from_email": "shop@trumpet.example.org",
        "default_locale": "en",
        "time_zone": "Europe/London",
        "postal_address": "The Brass Trumpet\n1 Made-up Lane\nLondon",
    },
    {
        "issue_at": "payment",
        "name": "The Brass Trumpet",
        "street": "1 Made-up Lane",
        "postal_code": "N1 0AA",
        "city": "London",
        "country": "GB",
        "vat_regime": "normal",
        "vat_number": "GB999999973",
        "exemption_reason": "The prices of this data set show no VAT.",
        "invoice_prefix": "INV",
        "credit_note_prefix": "CN",
        "time_zone": "Europe/London",
    },
)
"""The gift shop whose invoices `deploy.demo.sales.retail` reads; its name is invented too."""

YOURS = Merchant(
    "your-shop",
    (Module.SHOP,),
    {
        "shop": "your-shop",
        "name": "Your Shop",
        "merchant_email": "orders@your-shop.example.org",
        "from_email": "shop@your-shop.example.org",
        "default_locale": "en",
        "time_zone": "Europe/Paris",
        "postal_address": "Your Shop\n1 Example Street\nParis",
    },
)
"""The shop of the person who runs `make up`: no customer of the demo buys here and no storefront of it listens."""

TAGS: tuple[tuple[str, Colour], ...] = (
    ("VIP", Colour.PURPLE),
    ("Urgent", Colour.RED),
    ("Cadeau", Colour.TEAL),
    ("Fidèle", Colour.BLUE),
    ("À rappeler", Colour.ORANGE),
    ("Presse", Colour.GREY),
    ("Professionnel", Colour.GREEN),
    ("Litige évité", Colour.OCHRE),
)
"""Tags that a shop's people put on orders."""
