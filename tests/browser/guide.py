"""A task of the merchant's guide, read from its page and followed on other pages by the labels it shows."""

import re
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Locator, Page, expect

from contracts.sale import PaymentMethod, SubmittedLine
from tests.browser.running_system import OwnShop
from tests.browser.visitor import Visitor


@dataclass(frozen=True)
class Guide:
    """A task as its page shows it: the labels of buttons and fields in each step."""

    page: Page
    address: str
    labels: list[list[str]]

    def named(self, step: int, place: int = 1) -> str | re.Pattern[str]:
        """Return the label at this position of a step; `…` in it matches any value."""
        label = self.labels[step - 1][place - 1]
        parts = [re.escape(part) for part in label.split("…")]
        return re.compile(f"^{'.+'.join(parts)}$") if len(parts) > 1 else label

    async def follow_link(self, step: int) -> None:
        """Follow the link of a step, and wait until its page and the page's scripts are loaded."""
        await self.page.goto(self.address)
        await self.page.locator(".guide-steps > li").nth(step - 1).get_by_role("link").first.click()
        await self.page.wait_for_url(lambda url: "/guide/" not in url)

    def button(self, step: int, place: int = 1, *, within: str = "main") -> Locator:
        """Return the button with a step's label."""
        return self.page.locator(within).get_by_role("button", name=self.named(step, place), exact=True)

    def link(self, step: int, place: int = 1, *, within: str = "main") -> Locator:
        """Return the link with a step's label."""
        return self.page.locator(within).get_by_role("link", name=self.named(step, place), exact=True)

    def field(self, step: int, place: int = 1, *, within: str = "main") -> Locator:
        """Return the field with a step's label."""
        return self.page.locator(within).get_by_label(self.named(step, place))


async def read(visitor: Visitor, task: str) -> Guide:
    """Open a task through the menu and the table of contents, and return it."""
    page = visitor.page
    await visitor.go("/guide")
    await page.locator(f"main a[href='/guide/{task}']").click()
    steps = page.locator(".guide-steps > li")
    await expect(steps.first).to_be_visible()
    await page.wait_for_load_state()
    labels = [await step.locator(".guide-label").all_inner_texts() for step in await steps.all()]
    return Guide(page, page.url, labels)


async def an_order(
    shop: OwnShop, method: PaymentMethod = PaymentMethod.CARD, *lines: SubmittedLine, **changes: Any
) -> tuple[str, str]:
    """Return id and code of a new order, of two notebooks unless lines are given; an order by card is paid."""
    sale = shop.sale(*lines, method=method, **changes)
    [order] = await shop.order(sale)
    if method is PaymentMethod.CARD:
        await shop.report(sale)
        await shop.until_order(order, payment_status="paid")
    return order, str((await shop.until_order(order, stock="reserved"))["code"])


async def open_order(page: Page, code: str) -> None:
    """Open an order from the list or queue that is shown."""
    await page.locator("main").get_by_role("link", name=code, exact=True).first.click()
    await expect(page.locator("h1")).to_have_text(code)
    await page.wait_for_load_state()
