"""The HTML of every mail: styles in the elements, nothing from elsewhere, the same figures as the text."""

import re
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from services.notifier.mails.compose.composing import TEMPLATES, Pages, _page, write_pages
from services.notifier.mails.compose.inlining import inlined
from services.notifier.mails.compose.logo import LOGO_ID
from services.notifier.mails.texts.placeholders import WORDINGS
from services.notifier.mails.texts.planning import LANGUAGES
from services.notifier.profile import samples
from services.notifier.profile.samples import (
    NUMBER_OF_SAMPLES,
    WORDINGS_OF_EVERY_ORDER,
    preload_templates,
    sample,
)
from tests.notifier.builders import SHOP, a_shop
from tests.notifier.logos import LOGO

SOURCES = sorted(TEMPLATES.rglob("*.html"))
RULES = (TEMPLATES / "layout/mail.css").read_text()
CASES = list(product(WORDINGS, LANGUAGES, range(NUMBER_OF_SAMPLES)))
FOR_DARK_SCREENS = {"ink", "rule", "link", "plate", "filled", "quiet"}
"""Classes of the page's own `<style>` alone."""
PAGE = "https://commande.example/c/abcdefghijklmnopqrstuvwxyz"


class Elements(HTMLParser):
    """Every tag with its attributes, whatever their order, and every text; without styles."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[object] = []
        self.words: list[str] = []
        self.classes = set[str]()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.classes |= set((given.get("class") or "").split())
        given.pop("style", None)
        self.pieces.append((tag, frozenset(given.items())))

    def handle_endtag(self, tag: str) -> None:
        self.pieces.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        self.pieces.extend(data.split())
        self.words.append(data)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_only_styles_are_added_to_a_template(path: Path) -> None:
    source = path.read_text()
    before, after = Elements(source), Elements(inlined(source, RULES))
    assert after.pieces == before.pieces
    named = set(re.findall(r"^\.([a-z-]+)", RULES, re.MULTILINE))
    assert after.classes <= named | FOR_DARK_SCREENS, "a class that the stylesheet lacks"


def test_a_rule_yields_to_the_style_that_a_template_states() -> None:
    source = '<p class="a" style="color:{{ shop.link }}">{% if x %}{{ y }}{% endif %}</p>'
    written = inlined(source, ".a { color: red; margin: 0 }")
    assert written == '<p class="a" style="margin:0;color:{{ shop.link }}">{% if x %}{{ y }}{% endif %}</p>'


@pytest.mark.parametrize(("wording", "language", "number"), CASES)
def test_a_mail_needs_nothing_from_elsewhere_and_its_text_has_the_same_figures(
    wording: str, language: str, number: int
) -> None:
    pages = write_pages(*sample(wording, SHOP, language, number), a_shop(logo=LOGO), PAGE)
    assert pages.subject.strip()
    assert f'lang="{language}"' in pages.html
    assert set(re.findall(r'\ssrc="([^"]*)"', pages.html)) == {f"cid:{LOGO_ID}"}
    assert not re.search(r"url\(|@import|<link|<script|background=", _without_values(pages))
    assert all("alt=" in picture for picture in re.findall(r"<img[^>]*>", pages.html))
    seen = re.sub(r'<div class="unseen".*?</div>', "", pages.html.partition("</head>")[2])
    shown, links = _figures(" ".join(Elements(seen).words)), set(re.findall(r'href="([^"]*)"', seen))
    assert shown - links == _figures(pages.text) - links, (
        "the text writes out what a button of the page links to"
    )


def _without_values(pages: Pages) -> str:
    """The mail's own HTML: what a hostile value could look like is escaped, so its `<` is not one."""
    return re.sub(r"&lt;.*?&gt;", "", pages.html)


def _figures(text: str) -> set[str]:
    """Every amount, number, date and code: words that hold a digit."""
    return {word.strip(".,;:()[]«»") for word in text.split() if re.search(r"\d", word)}


def test_the_mails_of_every_order_are_loaded_at_start() -> None:
    _page.cache_clear()
    preload_templates()
    assert _page.cache_info().currsize == 2 * len(WORDINGS_OF_EVERY_ORDER) * len(LANGUAGES)
    for wording, language in product(WORDINGS_OF_EVERY_ORDER, LANGUAGES):
        write_pages(*sample(wording, SHOP, language), a_shop())
    assert _page.cache_info().misses == _page.cache_info().currsize


def test_a_template_that_cant_be_loaded_concerns_its_mail_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Pages:
        raise ZeroDivisionError

    monkeypatch.setattr(samples, "write_pages", broken)
    with capture_logs() as logs:
        preload_templates()
    assert {line["wording"] for line in logs} == set(WORDINGS_OF_EVERY_ORDER)
