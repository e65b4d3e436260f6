"""Articles, tickets, services, tables and slots of the made-up bookbinder: what it sells in each of its five modules.

All of it is invented. Prices are cents of a euro and include VAT, as French shops show them.
"""

from dataclasses import dataclass

BOOKS, MEALS, STANDARD = 550, 1000, 2000
"""French VAT rates in basis points."""


@dataclass(frozen=True)
class Article:
    """Something with a price: goods when it has a SKU, otherwise a seat, a table, a slot or a service."""

    key: str
    french: str
    english: str
    price_minor: int
    vat_rate: int = STANDARD

    def name(self, locale: str) -> str:
        """Return its name in the customer's language."""
        return self.french if locale.startswith("fr") else self.english


_Variants = tuple[tuple[str, str, str], ...]

_INKS: _Variants = (
    ("GAR", "rouge garance", "madder red"),
    ("IND", "bleu indigo", "indigo blue"),
    ("SEP", "sépia", "sepia"),
    ("NDF", "noir de fumée", "lamp black"),
    ("VDG", "vert-de-gris", "verdigris"),
    ("OCR", "ocre jaune", "yellow ochre"),
    ("LIE", "lie-de-vin", "wine lees"),
    ("ARD", "gris ardoise", "slate grey"),
)
_CLOTHS: _Variants = (
    ("LIN", "toile lin écru", "natural linen"),
    ("BLE", "toile bleu de travail", "workwear blue cloth"),
    ("BRI", "toile brique", "brick cloth"),
    ("SAP", "toile vert sapin", "fir green cloth"),
)
_FORMATS: _Variants = (
    ("A6", "A6, 96 pages", "A6, 96 pages"),
    ("A5", "A5, 144 pages", "A5, 144 pages"),
    ("B5", "B5, 160 pages", "B5, 160 pages"),
    ("A4", "A4, 192 pages", "A4, 192 pages"),
)
_PAPERS: _Variants = (
    ("VEL", "vélin d’Arches 90 g", "Arches wove 90 g"),
    ("VER", "vergé ivoire 100 g", "ivory laid 100 g"),
    ("KRA", "kraft brun 80 g", "brown kraft 80 g"),
    ("CHI", "papier de Chine 35 g", "China paper 35 g"),
    ("MAR", "marbré à la cuve", "hand-marbled"),
    ("DOM", "dominoté à la planche", "block-printed domino paper"),
)
_NIBS: _Variants = (("F", "fine", "fine"), ("M", "moyenne", "medium"), ("L", "large", "broad"))
_TOOLS: _Variants = (
    ("PLI", "plioir en os", "bone folder"),
    ("ALE", "alêne montée", "binder’s awl"),
    ("AIG", "aiguilles de relieur, les dix", "bookbinding needles, ten"),
    ("FIL", "fil de lin écru, 50 m", "linen thread, 50 m"),
    ("CIR", "cire d’abeille, 40 g", "beeswax, 40 g"),
    ("COL", "colle d’amidon, 250 g", "wheat paste, 250 g"),
    ("PIN", "pinceau à coller", "glue brush"),
    ("COU", "couteau à parer", "paring knife"),
    ("PRE", "petite presse à relier", "small book press"),
    ("EQU", "équerre d’acier", "steel square"),
)
_TITLES: _Variants = (
    ("ABC", "Abécédaire de la reliure", "An ABC of binding"),
    ("COU", "La couture sur rubans", "Sewing on tapes"),
    ("JAP", "Reliures japonaises", "Japanese bindings"),
    ("MAR", "Papiers marbrés, mode d’emploi", "Marbled papers, a manual"),
    ("CUI", "Travailler le cuir fin", "Working thin leather"),
)


def _family(
    prefix: str, french: str, english: str, price: int, variants: _Variants, vat: int = STANDARD
) -> list[Article]:
    """Return one article per variant; later variants cost a little more."""
    return [
        Article(f"{prefix}-{code}", french.format(fr), english.format(en), price + 35 * rank, vat)
        for rank, (code, fr, en) in enumerate(variants)
    ]


def _notebooks() -> list[Article]:
    made: list[Article] = []
    for step, (size, size_fr, size_en) in enumerate(_FORMATS):
        made += _family(
            f"CAR-{size}",
            f"Carnet cousu {size_fr}, {{}}",
            f"Sewn notebook {size_en}, {{}}",
            1250 + 475 * step,
            _CLOTHS,
        )
    return made


GOODS: tuple[Article, ...] = (
    *_notebooks(),
    *_family("ENC", "Encre {}, 30 ml", "Ink {}, 30 ml", 980, _INKS),
    *_family("PAP", "Papier {}, les 25 feuilles", "Paper {}, 25 sheets", 1420, _PAPERS),
    *_family("PLU", "Porte-plume de buis, plume {}", "Boxwood pen holder, {} nib", 1890, _NIBS),
    *_family("REG", "Registre à rabat, {}", "Ledger with flap, {}", 3950, _CLOTHS),
    *_family("CAH", "Cahier piqué {}", "Stitched exercise book {}", 620, _FORMATS),
    *_family("OUT", "Outil : {}", "Tool: {}", 740, _TOOLS),
    *_family("LIV", "« {} », broché", "“{}”, paperback", 2200, _TITLES, BOOKS),
    *_family("ETU", "Étui à plumes, {}", "Pen roll, {}", 2690, _CLOTHS),
)
"""Sixty SKUs."""

EVENTS: tuple[Article, ...] = (
    Article(
        "initiation-reliure", "Initiation à la reliure, samedi", "Introduction to bookbinding, Saturday", 6500
    ),
    Article("soiree-marbrure", "Soirée marbrure", "Marbling evening", 3900),
    Article("stage-japonais", "Stage reliures japonaises, deux jours", "Japanese bindings, two days", 18500),
    Article("portes-ouvertes", "Portes ouvertes de l’atelier", "Open day at the workshop", 0),
)
SERVICES: tuple[Article, ...] = (
    Article("restauration-dos", "Restauration d’un dos", "Rebacking a book", 8400),
    Article(
        "reliure-these",
        "Reliure d’une thèse, cuir et titre doré",
        "Thesis binding, leather, gilt title",
        14200,
    ),
    Article("dorure-initiales", "Dorure d’initiales", "Gilt initials", 1800),
    Article(
        "boite-sur-mesure", "Boîte de conservation sur mesure", "Conservation box, made to measure", 7600
    ),
)
TABLES: tuple[Article, ...] = (
    Article("table-2", "Table du midi, deux couverts", "Lunch table for two", 4800, MEALS),
    Article("table-4", "Table du midi, quatre couverts", "Lunch table for four", 9200, MEALS),
    Article("gouter", "Goûter de l’atelier", "Workshop tea", 1450, MEALS),
)
SLOTS: tuple[Article, ...] = (
    Article("presse-1h", "Presse à épreuves, une heure", "Proofing press, one hour", 2500),
    Article("etabli-3h", "Établi équipé, trois heures", "Equipped bench, three hours", 4200),
    Article("conseil", "Rendez-vous conseil, vingt minutes", "Advice, twenty minutes", 0),
)
