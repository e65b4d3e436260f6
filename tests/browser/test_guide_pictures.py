"""Pictures of the guide, made from the running pages.

With `COMPTOIR_GUIDE_PICTURES=1` they are written where the guide shows them (services/orders/backoffice/guide/
pictures.py), one for each language; otherwise to var/test/screens/guide, to show that each can still be made.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import FloatRect, Locator, Page, expect

from contracts.sale import Customer, PaymentMethod
from services.orders.backoffice.guide.pictures import PICTURES
from services.orders.backoffice.guide.tasks import all_tasks
from tests.browser.conftest import PageContext
from tests.browser.customers import write_as_customer
from tests.browser.guide import an_order
from tests.browser.running_system import OwnShop, RunningSystem, fill_shelves
from tests.browser.visitor import SCREENS, Visitor
from tests.journeys.sales import inks, notebooks

FOLDER = PICTURES if os.environ.get("COMPTOIR_GUIDE_PICTURES") else SCREENS / "guide"
WIDTH, HEIGHT = 1100, 1600
"""Of the window: high enough for the longest part that is shown."""
ARTICLE = "CARNET-A5"
MOST_BYTES = 60_000
READERS_DATES = """lang => {
  scrollTo(0, 0);
  document.activeElement?.blur();
  for (const field of document.querySelectorAll("input[type=date]")) {
    const day = field.valueAsDate;
    field.type = "text";
    field.placeholder = lang === "fr" ? "jj/mm/aaaa" : "dd/mm/yyyy";
    field.value = day ? new Intl.DateTimeFormat(lang + "-" + (lang === "fr" ? "FR" : "GB")).format(day) : "";
  }
}"""
"""Dates in fields are written as browsers of the reader's country do: this Chromium has only the American way."""
BEGINNING = "mail => Object.assign(mail.firstElementChild.style, {maxHeight: '210px', overflow: 'hidden'})"
"""Of the mail that is previewed: its links are of this machine."""
BUYERS = {
    "fr": ("Camille Roy", "Paul Faure", "Karim Haddad", "Lucie Martin"),
    "en": ("Emma Clarke", "Oliver Reed", "Grace Lee", "Karim Haddad"),
}
"""Customers: the second pays by cheque, the others have paid by card."""
WORDS = {
    "fr": {
        "question": "Bonjour, avez-vous reçu mon chèque ?",
        "answer": "Bonjour, pas encore. Votre commande part dès qu’il arrive.",
        "reply": "Chèque attendu",
        "comment": "Nous préparons votre commande.",
        "tag": "Cadeau",
    },
    "en": {
        "question": "Hello, have you received my cheque?",
        "answer": "Hello, not yet. Your order leaves as soon as it arrives.",
        "reply": "Waiting for a cheque",
        "comment": "We are preparing your order.",
        "tag": "Gift",
    },
}

pytestmark = pytest.mark.rows("A31")


@pytest_asyncio.fixture(loop_scope="session")
async def shop(running: RunningSystem) -> AsyncIterator[OwnShop]:
    """Yield a shop for each language, so that the pictures of both have the same number of orders."""
    async with await running.take_shop() as opened:
        await fill_shelves(opened)
        yield opened


@pytest.mark.parametrize("lang", ["fr", "en"])
async def test_every_picture_of_the_guide_is_made(context: PageContext, shop: OwnShop, lang: str) -> None:
    await shop.count_stock({ARTICLE: 24})
    buyer, debtor, other, third = (
        {"customer": Customer(name=name, email=f"{slug(name)}@{shop.name}.example.org"), "locale": lang}
        for name in BUYERS[lang]
    )
    card, cheque = PaymentMethod.CARD, PaymentMethod.CHEQUE
    await an_order(shop, card, notebooks(1), **third)
    partly, _ = await an_order(shop, card, inks(3), **other)
    order, code = await an_order(shop, card, **buyer)
    owing, unpaid = await an_order(shop, cheque, notebooks(4), **debtor)
    visitor = await context("manager", "/orders?tab=all", lang=lang)
    await visitor.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    album = Album(visitor)
    await show_the_conversation(album, shop, owing, unpaid)
    await show_the_order(album, code, unpaid)
    for packed in (order, partly):
        await shop.pack(packed, {1: 2})
        await shop.until_order(packed, units_to_ship=2)
    await show_shipping(album, code)
    await show_the_list(album, code)
    await show_stock_and_settings(album)
    shown = {picture.name for task in all_tasks(lang).values() for picture in task.pictures}
    assert album.names == shown, "pictures that no task shows, or tasks whose pictures are not made"


class Album:
    """The pictures of a language, and the window in which they are taken."""

    def __init__(self, visitor: Visitor) -> None:
        self.names: set[str] = set()
        self.visitor, self.page, self.words = visitor, visitor.page, WORDS[visitor.look.lang]
        self._lang = visitor.look.lang
        self._folder = FOLDER / self._lang
        self._folder.mkdir(parents=True, exist_ok=True)

    async def add(self, name: str, part: Locator) -> None:
        """Take a picture of a part of the page."""
        path = await self._begin(name)
        await part.screenshot(path=path, animations="disabled", caret="hide")
        _assert_small(path)

    async def add_down_to(self, name: str, part: Locator, last: Locator) -> None:
        """Take a picture of a part of the page, down to the end of one of its parts."""
        path = await self._begin(name)
        box, end = await part.bounding_box(), await last.bounding_box()
        assert box is not None
        assert end is not None
        height = end["y"] + end["height"] + (end["x"] - box["x"]) - box["y"]
        clip = FloatRect(x=box["x"], y=box["y"], width=box["width"], height=height)
        await self.page.screenshot(path=path, clip=clip, animations="disabled", caret="hide")
        _assert_small(path)

    async def _begin(self, name: str) -> Path:
        """Leave the fields as a reader would find them, and return the path of the picture."""
        self.names.add(name)
        await self.page.mouse.move(0, 0)
        await self.page.evaluate(READERS_DATES, self._lang)
        return self._folder / f"{name}.png"


def _assert_small(path: Path) -> None:
    size = path.stat().st_size
    assert size <= MOST_BYTES, f"{path} has {size} bytes, at most {MOST_BYTES}: show less of the page"


def slug(name: str) -> str:
    """Return a name as the local part of a mail address."""
    return name.lower().replace(" ", ".")


async def show_the_conversation(album: Album, shop: OwnShop, order: str, code: str) -> None:
    """Answer a customer, with a quick reply at hand."""
    page, words = album.page, album.words
    await album.visitor.go("/settings/replies")
    await page.locator("#field-name").fill(words["reply"])
    await page.locator("#field-text_fr").fill(WORDS["fr"]["answer"])
    await page.locator("#field-text_en").fill(WORDS["en"]["answer"])
    await page.locator("main form button.primary").click()
    await expect(page.get_by_role("rowheader", name=words["reply"])).to_be_visible()
    await write_as_customer(shop, order, words["question"])
    await album.visitor.go(f"/orders/{code}/conversation")
    await page.locator("#message-text").fill(words["answer"])
    await page.locator("#message button.primary").click()
    await expect(page.locator(".message.ours:not(.unsent)")).to_be_visible()
    await expect(page.locator(".message.theirs")).to_be_visible()
    await album.add("conversation", page.locator("section.conversation"))


async def show_the_order(album: Album, code: str, unpaid: str) -> None:
    """Fill in the forms that receive a cheque, pack an order and update a status."""
    page, words = album.page, album.words
    await album.visitor.go(f"/orders/{unpaid}")
    await page.locator("#payment [name=reference]").first.fill("1042337")
    await album.add("receive-payment", page.locator("#payment"))
    await album.visitor.go(f"/orders/{code}")
    await album.add("pack", await opened(page, "#parcels"))
    await page.locator("#status-label").select_option("processing")
    await page.locator("#status [name=notify_customer]").check()
    await page.locator("#status-public").press_sequentially(words["comment"])
    await expect(page.locator("#mail-preview")).to_contain_text(words["comment"])
    await page.locator("#mail-preview").evaluate(BEGINNING)
    await album.add("update-status", page.locator("#status"))


async def show_shipping(album: Album, code: str) -> None:
    """Fill in the form that ships a parcel."""
    page = album.page
    await album.visitor.go(f"/orders/{code}")
    form = await opened(page, "#shipments")
    await form.locator("[name=carrier]").first.fill("Colissimo")
    await form.locator("[name=tracking_number]").first.fill("6A 0123 4567 8901")
    await form.locator("[name=notify_customer]").first.check()
    await album.add("ship", form)


async def show_the_list(album: Album, code: str) -> None:
    """Put on a tag, look at the orders to be processed, and open the filters."""
    page, words = album.page, album.words
    await album.visitor.go(f"/orders/{code}")
    await opened(page, "#tags")
    await page.locator("#tag-name").fill(words["tag"])
    await page.locator("#tag-colour").select_option("blue")
    await page.locator("#tag-name").press("Enter")
    await expect(page.locator(".tag-list")).to_contain_text(words["tag"])
    await album.visitor.go("/orders")
    await expect(page.locator("#order-tabs .count:empty")).to_have_count(0)
    await album.add_down_to("orders-page", page.locator("main"), page.locator(".table-frame"))
    await album.visitor.go("/orders?tab=all")
    await page.locator("#filters > summary").click()
    for name, value in (("status", "new"), ("payment_method", "cheque")):
        await page.locator(f".filter-form [name={name}][value={value}]").check()
    await album.add("filters", page.locator(".filter-form"))


async def show_stock_and_settings(album: Album) -> None:
    """Set a threshold, and look at the switches of the mails."""
    page = album.page
    await album.visitor.go(f"/stock/article?sku={ARTICLE}")
    await page.locator("#threshold input[name=threshold]").fill("10")
    await album.add("low-stock", page.locator("#threshold"))
    await album.visitor.go("/settings/mails")
    await album.add("mail-switches", page.locator(".mail-switches"))


async def opened(page: Page, part: str) -> Locator:
    """Return a part of the page of an order, with its first form open."""
    form = page.locator(f"{part} details.disclosure").first
    await form.evaluate("form => { form.open = true }")
    return page.locator(part)
