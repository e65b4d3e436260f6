"""A person before a browser: one window in a language, a theme and a size.

    visitor = await visit("owner", "/orders", lang="en", theme="dark", viewport="phone")
    await visitor.page.get_by_role("link", name="To pack").click()
    await visitor.axe()
    await visitor.screenshot("orders")

`page` is Playwright's. What the browser complains of is collected by `watch` and fails the test at its end.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from playwright.async_api import Browser, Error, Page, ViewportSize

from tests.browser.accessibility import assert_accessible
from tests.browser.watching import Watch

SCREENS = Path(__file__).resolve().parents[2] / "var" / "test" / "screens"
VIEWPORTS: dict[str, ViewportSize] = {
    "phone": {"width": 390, "height": 844},
    "narrow": {"width": 320, "height": 640},
    "desk": {"width": 1440, "height": 900},
    "wide": {"width": 2200, "height": 1100},
}
LOCALES = {"fr": "fr-FR", "en": "en-GB"}
PATIENCE_MILLISECONDS = 15_000


@dataclass(frozen=True)
class Look:
    """How a page is looked at: language (fr, en), theme (light, dark), viewport (a key of VIEWPORTS)."""

    lang: str = "fr"
    theme: str = "light"
    viewport: str = "desk"

    def __str__(self) -> str:
        return f"{self.viewport}-{self.theme}-{self.lang}"


FOUR_LOOKS = [
    Look("fr", "light", "phone"),
    Look("fr", "dark", "desk"),
    Look("en", "dark", "phone"),
    Look("en", "light", "desk"),
]
"""For the pages people are on all day: every two of language, theme and width together once."""
BOTH_LOOKS = [Look("fr", "light", "phone"), Look("en", "dark", "desk")]
"""For all other pages: every language, theme and width once. `@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)`"""


@dataclass
class Visitor:
    """A window."""

    page: Page
    look: Look
    watch: Watch
    origin: str

    async def go(self, path: str) -> None:
        """Open a page of ours by its address and wait until it is loaded.

        A page that waits for an outcome goes on by itself, which ends a navigation that began just before: then the
        address is opened once more, as a person would.
        """
        try:
            await self.page.goto(f"{self.origin}{path}")
        except Error as error:
            if "ERR_ABORTED" not in error.message:
                raise
            await self.page.wait_for_load_state()
            await self.page.goto(f"{self.origin}{path}")

    async def sign_in(self, login: str, password: str, after: str = "/") -> None:
        """Sign in through the form, as a person does, and arrive at the page `after`."""
        await self.go(f"/sign-in?next={quote(after)}")
        await self.page.locator("input[name=login]").fill(login)
        await self.page.locator("input[name=password]").fill(password)
        await self.page.locator("input[name=password]").press("Enter")
        await self.page.wait_for_url(lambda url: "/sign-in" not in url)

    def provokes(self, *statuses: int, text: str | None = None) -> None:
        """From here on answers with these statuses, or complaints that hold this text, are what the test wants."""
        self.watch.allow(*statuses, text=text)

    async def axe(self) -> None:
        """Raise NotAccessible with all that breaks a rule of WCAG 2.2 AA on the page as it stands."""
        await assert_accessible(self.page, f"{self.page.url} ({self.look})")

    async def fits(self) -> None:
        """Raise unless the page is no wider than its window, for a phone's look than the narrowest phone's."""
        size = VIEWPORTS[self.look.viewport]
        narrow = VIEWPORTS["narrow"] if self.look.viewport == "phone" else size
        await self.page.set_viewport_size(narrow)
        wide, window = await self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        await self.page.set_viewport_size(size)
        assert wide <= window <= narrow["width"], f"{self.page.url} is {wide} wide in {narrow['width']}"

    async def screenshot(self, name: str, *, whole: bool = True) -> Path:
        """A picture of the page (all its length, or only what is in view), for people to look at."""
        assert re.fullmatch(r"[a-z0-9-]+", name), f"{name!r}: small letters, digits and hyphens alone"
        path = SCREENS / f"{name}-{self.look}.png"
        await self.picture(path, whole=whole)
        return path

    async def picture(self, path: Path, *, whole: bool = True) -> None:
        """A picture under any name."""
        path.parent.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=path, full_page=whole, animations="disabled")


async def open_window(browser: Browser, origin: str, look: Look, *, script: bool = True) -> Visitor:
    """A new window with no cookies. `script`: whether it runs JavaScript."""
    context = await browser.new_context(
        base_url=origin,
        locale=LOCALES[look.lang],
        timezone_id="Europe/Paris",
        color_scheme="dark" if look.theme == "dark" else "light",
        viewport=VIEWPORTS[look.viewport],
        is_mobile=look.viewport == "phone",
        has_touch=look.viewport == "phone",
        reduced_motion="reduce",
        java_script_enabled=script,
    )
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    page = await context.new_page()
    return Visitor(page, look, Watch(page, origin), origin)
