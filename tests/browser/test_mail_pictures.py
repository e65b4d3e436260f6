"""Every mail in a browser, narrow and wide, light and dark: nothing wider than its window, all of it readable.

All mails are frames of one page, so that this takes seconds. With `COMPTOIR_MAIL_PICTURES=FOLDER` pictures are
written there, one for each language, theme and mail.
"""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Frame, Page

from services.notifier.mails.compose.composing import write_pages
from services.notifier.mails.compose.logo import with_logo
from services.notifier.mails.mail import TO_MERCHANT, Mail, Recipient, Template
from services.notifier.mails.texts.placeholders import WORDINGS
from services.notifier.mails.texts.planning import LANGUAGES
from services.notifier.profile.samples import NUMBER_OF_SAMPLES, sample, template_of
from tests.browser.accessibility import RULES, source
from tests.notifier.builders import SHOP, a_shop
from tests.notifier.logos import LOGO

PICTURES = os.environ.get("COMPTOIR_MAIL_PICTURES")
WIDTHS = (320, 640)
PAGE_LINK = "https://commande.example/c/abcdefghijklmnopqrstuvwxyz"
SHOPS = (
    a_shop(
        backoffice_url="https://bureau.example",
        logo=LOGO,
        signature="À bientôt,\nGarance et l’équipe",
        siret="732 829 320 00074",
    ),
    a_shop(brand_colour="#ffe08a", support_phone=None, opening_hours=None),
    a_shop(brand_colour="#101018", name="L’Atelier des lumières d’hiver et d’été réunies"),
)
"""A shop colour for each sample: none, one too light for text on white, one too dark for a button on black."""
_TOO_WIDE = """() => [document.documentElement.scrollWidth, innerWidth,
  ...[...document.querySelectorAll("body *")].filter(one => one.getBoundingClientRect().right > innerWidth + 0.5)
    .slice(0, 3).map(one => one.outerHTML.slice(0, 200))]"""
_AXE = """async rules => (await axe.run(document, {runOnly: {type: "tag", values: rules}, resultTypes: ["violations"],
  elementRef: false})).violations.map(broken => broken.id + ": " + broken.nodes
  .map(node => node.html.slice(0, 160) + " " + node.failureSummary).join(" | "))"""


@dataclass(frozen=True)
class Case:
    """A mail rendered for one sample."""

    wording: str
    language: str
    number: int

    @property
    def id(self) -> str:
        """Return the name of its frame."""
        return f"{self.language}-{self.wording}-{self.number + 1}"

    @property
    def html(self) -> str:
        """Return the mail's HTML with the logo embedded."""
        shop = SHOPS[self.number]
        page = PAGE_LINK if self.number != 1 else None
        return with_logo(write_pages(*self._mail(), shop, page).html, shop)

    def _mail(self) -> tuple[Mail, Recipient]:
        if self.wording in WORDINGS:
            return sample(self.wording, SHOP, self.language, self.number)
        mail, recipient = sample("order_recap", SHOP, self.language, self.number)
        context = WARNINGS[Template(self.wording)][self.number]
        return replace(mail, template=Template(self.wording), context=context), recipient


WARNINGS: dict[Template, tuple[dict[str, Any], ...]] = {
    Template.TEXT_DAMAGED: (
        {"wording": "order_recap", "locale": "fr", "part": "intro"},
        {"wording": "invoice", "locale": "en", "part": "subject"},
        {"wording": "refund_under_way", "locale": "fr", "part": "footer"},
    ),
    Template.SENDER_REFUSED: (
        {"diagnostic": "smtp; 550 5.7.1 Service unavailable; client host [192.0.2.7] blocked using Spamhaus"},
        {"diagnostic": ""},
        {"diagnostic": "<script>alert(1)</script> https://block.example/" + "a" * 300},
    ),
}
"""What the warnings that have no text of the shop's own say, for each sample."""
CASES = [Case(*one) for one in product((*WORDINGS, *WARNINGS), LANGUAGES, range(NUMBER_OF_SAMPLES))]


class Wall:
    """All mails in frames of one page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def hang(self, cases: list[Case]) -> None:
        """Show these mails, one frame each."""
        await self.page.set_content("<body style='margin:0'></body>")
        await self.page.evaluate(
            """mails => Promise.all(mails.map(([name, html]) => new Promise(shown => {
                const frame = document.createElement("iframe");
                Object.assign(frame, {name, title: name, srcdoc: html, onload: shown, width: 320, height: 600});
                frame.style.border = "0"; document.body.append(frame); })))""",
            [(case.id, case.html) for case in cases],
        )

    async def resize(self, width: int) -> None:
        """Set the width of all frames, and their height to that of their mails."""
        await self.page.evaluate(
            """width => { const frames = [...document.querySelectorAll("iframe")];
            frames.forEach(one => { one.width = width; one.height = 10 });
            frames.forEach(one => { one.height = one.contentDocument.documentElement.scrollHeight }) }""",
            width,
        )

    def frames(self) -> list[Frame]:
        """Return the frames of the mails, by name."""
        return [frame for frame in self.page.frames if frame.parent_frame]

    async def each(self, script: str, argument: Any = None) -> dict[str, Any]:
        """Return the result of a script in each mail, by name."""
        return {frame.name: await frame.evaluate(script, argument) for frame in self.frames()}

    async def picture(self, folder: Path, theme: str) -> None:
        """Write a screenshot of every mail at every width."""
        await self.hang(CASES)
        for width in WIDTHS:
            await self.resize(width)
            await self.page.set_viewport_size({"width": width, "height": 900})
            for case in CASES:
                frame = self.page.locator(f"iframe[name='{case.id}']")
                await frame.screenshot(path=folder / f"{case.id}-{theme}-{width}.png")


@pytest_asyncio.fixture(loop_scope="session")
async def wall(chromium: Browser) -> AsyncIterator[Wall]:
    """Yield a page without frames. Any network request fails the test."""
    context = await chromium.new_context(viewport={"width": 700, "height": 900})
    page, requests = await context.new_page(), list[str]()
    page.on("request", lambda request: requests.append(request.url))
    yield Wall(page)
    await context.close()
    assert [url for url in requests if not url.startswith(("data:", "about:"))] == []


def test_every_mail_is_among_the_pictures() -> None:
    """Of each template: those whose texts a shop edits by their wordings, the warnings by their own contexts."""
    assert {template_of(wording) for wording in WORDINGS} | set(WARNINGS) == set(Template)
    assert set(WARNINGS) < TO_MERCHANT


async def test_no_mail_is_wider_than_its_window(wall: Wall) -> None:
    await wall.hang(CASES)
    for width in WIDTHS:
        await wall.resize(width)
        found = await wall.each(_TOO_WIDE)
        assert len(found) == len(CASES)
        assert {name: seen for name, seen in found.items() if seen[0] > seen[1] or seen[1] != width} == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_every_mail_is_readable_and_accessible(wall: Wall, theme: Any) -> None:
    await wall.page.context.add_init_script(source())
    await wall.page.emulate_media(color_scheme=theme)
    await wall.hang([case for case in CASES if case.number == 0] + _coloured())
    await wall.resize(WIDTHS[0])
    found = await wall.each(_AXE, RULES)
    if PICTURES:
        await wall.picture(Path(PICTURES), theme)
    assert {name: broken for name, broken in found.items() if broken} == {}


def _coloured() -> list[Case]:
    """Return the mails with a button or links, in the other sample colours."""
    return [
        Case(wording, "fr", number) for wording in ("order_recap", "shipment_dispatched") for number in (1, 2)
    ]
