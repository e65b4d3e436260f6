"""What an operator does about a fault in the back office: its own forms, filled in by an owner."""

import secrets
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import httpx2

from deploy.local.system import BACKOFFICE, System
from deploy.samples.merchants import GARANCE
from tests.backoffice.browser import FormShown, Shown


class Staff:
    """An owner at the back office of a running hub, in English. `async with` signs in."""

    def __init__(self, system: System) -> None:
        self._system = system
        url = system.url(BACKOFFICE)
        headers = {"Accept-Language": "en", "Origin": url, "Sec-Fetch-Site": "same-origin"}
        self._http = httpx2.AsyncClient(base_url=url, headers=headers, timeout=30, trust_env=False)

    async def __aenter__(self) -> Self:
        login, password = f"{secrets.token_hex(4)}@example.org", secrets.token_hex(16)
        await self._system.add_staff(GARANCE.shop, login, password)
        shown = await self.post("/sign-in", [("login", login), ("password", password)])
        assert shown.status == httpx2.codes.SEE_OTHER, shown.words
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def open(self, path: str, *labels: str) -> Shown:
        """Return a page, which must show these texts: a runbook names them."""
        shown = Shown(await self._http.get(path))
        assert shown.status == httpx2.codes.OK, shown.text[:2000]
        assert all(label in shown.words for label in labels), (labels, shown.words)
        return shown

    async def post(self, path: str, fields: Sequence[tuple[str, str]]) -> Shown:
        """Send a form."""
        body = str(httpx2.QueryParams(list(fields)))
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return Shown(await self._http.post(path, content=body, headers=headers))

    async def submit(self, form: FormShown, **typed: str) -> None:
        """Send a form of a page, with some fields typed over; it must be carried out."""
        left = [(name, value) for name, value in form.fields if name not in typed]
        shown = await self.post(form.action, [*left, *typed.items()])
        assert shown.status == httpx2.codes.SEE_OTHER, shown.words

    async def decide_mails(self, path: str, state: str, *mails: str) -> None:
        """Tick mails on a tab of the page of mails, press a button, and confirm what it shows."""
        ticked = [("mail", mail) for mail in mails]
        preview = await self.post(path, [("state", state), *ticked])
        assert preview.status == httpx2.codes.OK, preview.words
        await self.submit(preview.form(path))
