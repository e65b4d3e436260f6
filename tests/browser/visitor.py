"""A user's browser window, in a language, a theme and a size.

    visitor = await visit("owner", "/orders", lang="en", theme="dark", viewport="phone")
    await visitor.page.get_by_role("link", name="To pack").click()
    await visitor.axe()
    await visitor.screenshot("orders")

`page` is Playwright's. Errors reported by the browser are collected by `watch` and fail the test at its end.
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
SESSION_COOKIE = "comptoir"
PATIENCE_MILLISECONDS = 30_000
"""Maximum wait for anything on a page: a deadline on a busy machine, no measure of speed."""


@dataclass(frozen=True)
class Look:
    """The appearance of a window: language (fr, en), theme (light, dark), viewport (a key of VIEWPORTS)."""

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
"""For the most used pages: every pair of language, theme and width occurs once."""
BOTH_LOOKS = [Look("fr", "light", "phone"), Look("en", "dark", "desk")]
"""For all other pages: every language, theme and width occurs once. `@pytest.mark.parametrize("look", BOTH_LOOKS,
ids=str)`
"""


@dataclass
class Visitor:
    """A window."""

    page: Page
    look: Look
    watch: Watch
    origin: str

    async def go(self, path: str) -> None:
        """Open a local path and wait until the page is loaded.

        A page that waits for an outcome continues automatically, which may abort a navigation that has just begun:
        the path is then opened again, as a person would do.
        """
        try:
            await self.page.goto(f"{self.origin}{path}")
        except Error as error:
            if "ERR_ABORTED" not in error.message and "interrupted by another" not in error.message:
                raise
            await self.page.wait_for_load_state()
            await self.page.goto(f"{self.origin}{path}")

    async def sign_in(self, login: str, password: str, after: str = "/") -> None:
        """Sign in through the form, and wait for the page `after`."""
        await self.go(f"/sign-in?next={quote(after)}")
        await self.page.locator("input[name=login]").fill(login)
        await self.page.locator("input[name=password]").fill(password)
        await self.page.locator("input[name=password]").press("Enter")
        await self.page.wait_for_url(lambda url: "/sign-in" not in url)

    async def session_token(self) -> str:
        """Return the token of the session that this window is signed in to."""
        cookies = await self.page.context.cookies()
        return next(cookie["value"] for cookie in cookies if cookie["name"] == SESSION_COOKIE)

    async def use_session(self, token: str) -> None:
        """Make this window one of a session that began in another one."""
        await self.page.context.add_cookies(
            [
                {
                    "name": SESSION_COOKIE,
                    "value": token,
                    "url": self.origin,
                    "httpOnly": True,
                    "sameSite": "Lax",
                }
            ]
        )

    def provokes(self, *statuses: int, text: str | None = None) -> None:
        """Expect responses with these statuses, or errors that contain this text, from now on."""
        self.watch.allow(*statuses, text=text)

    async def loaded(self) -> None:
        """Wait until the page is loaded: after a click, for a moment there is a new document without any content."""
        await self.page.wait_for_load_state()

    async def axe(self) -> None:
        """Raise NotAccessible with all violations of WCAG 2.2 AA on the page in its current state."""
        await self.loaded()
        await assert_accessible(self.page, f"{self.page.url} ({self.look})")

    async def fits(self) -> None:
        """Raise AssertionError if the page is wider than its window; with a phone's viewport, than the narrowest
        phone.
        """
        size = VIEWPORTS[self.look.viewport]
        narrow = VIEWPORTS["narrow"] if self.look.viewport == "phone" else size
        await self.loaded()
        await self.page.set_viewport_size(narrow)
        wide, window = await self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        await self.page.set_viewport_size(size)
        assert wide <= window <= narrow["width"], f"{self.page.url} is {wide} wide in {narrow['width']}"

    async def screenshot(self, name: str, *, whole: bool = True) -> Path:
        """Write a screenshot of the page (the whole page, or only the visible part) for review, and return its path."""
        assert re.fullmatch(r"[a-z0-9-]+", name), f"{name!r}: lower-case letters, digits and hyphens only"
        path = SCREENS / f"{name}-{self.look}.png"
        await self.picture(path, whole=whole)
        return path

    async def picture(self, path: Path, *, whole: bool = True) -> None:
        """Write a screenshot to a path."""
        await self.loaded()
        path.parent.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=path, full_page=whole, animations="disabled")


async def open_window(browser: Browser, origin: str, look: Look, *, script: bool = True) -> Visitor:
    """Return a new window without cookies. `script`: whether it runs JavaScript."""
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
