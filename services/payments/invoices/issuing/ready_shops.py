"""Which shops may issue documents, and the event when the rules judge settings otherwise than when last published."""

import math
from collections.abc import Sequence
from time import monotonic

import structlog
from pydantic import ValidationError

from contracts.payments.invoices import InvoicingSettings
from services.chassis.errors import describe
from services.chassis.messaging.process import Process
from services.chassis.storage.database import Connection
from services.payments.accounts.unit.invoicing_store import (
    Announced,
    lock_invoicing,
    note_announced,
    read_all_announced,
    read_announced,
    read_settings,
)
from services.payments.invoices.mentions import invalid, may_issue
from services.payments.invoices.publishing import settings_event_of

log = structlog.get_logger()
ANNOUNCE_SECONDS = 10
AT_ONCE = 50
"""Settings that are checked without a pause: about 0.7 ms each."""


class ReadyShops:
    """What a process has found in shops' settings, which it reads and checks once per version: one entry per shop.

    Settings that can't be read, such as those with a value that only a newer version knows, let no document be issued.
    """

    def __init__(self) -> None:
        self._found: dict[str, tuple[Announced, bool | None]] = {}
        self._announced_at = -math.inf

    async def among(self, connection: Connection, shops: Sequence[str]) -> set[str]:
        """Return those of these shops that may issue documents."""
        if not shops:
            return set()
        await self._check(connection, await read_announced(connection, shops))
        return {shop for shop in shops if self._issues(shop)}

    async def announce(self, process: Process) -> None:
        """Publish the settings of shops that the rules judge otherwise than when they were last published: an earlier
        version accepted what is wrong, or refused what is right. All shops are compared at the first call, then once
        in 10 s.
        """
        if monotonic() - self._announced_at < ANNOUNCE_SECONDS:
            return
        async with process.acquire() as connection:
            shops = await read_all_announced(connection)
            await self._check(connection, shops)
        changed = [one.shop for one in shops if self._issues(one.shop) not in (None, one.issues)]
        if changed:
            await _announce(process, changed)
        self._announced_at = monotonic()

    def _issues(self, shop: str) -> bool | None:
        """Return whether a shop may issue documents; None if its settings can't be read."""
        return self._found[shop][1] if shop in self._found else None

    async def _check(self, connection: Connection, shops: Sequence[Announced]) -> None:
        """Read and check the settings whose version is new."""
        new = [one.shop for one in shops if self._stamp(one.shop) != one.stamp]
        for start in range(0, len(new), AT_ONCE):
            for one, settings in await read_settings(connection, new[start : start + AT_ONCE]):
                self._found[one.shop] = (one, _issues(one.shop, settings))

    def _stamp(self, shop: str) -> object:
        return self._found[shop][0].stamp if shop in self._found else None


def _issues(shop: str, settings: str) -> bool | None:
    """Return whether documents are issued by settings as they are stored; None if they can't be read."""
    try:
        return may_issue(InvoicingSettings.model_validate_json(settings))
    except ValidationError as error:
        log.error(
            "invoicing settings unreadable; documents of this shop wait", shop=shop, error=describe(error)
        )
        return None


async def _announce(process: Process, changed: Sequence[str]) -> None:
    async with process.unit() as unit:
        shops, _ = await lock_invoicing(unit.connection, changed)
        for shop, invoicing in sorted(shops.items()):
            issues = may_issue(invoicing.settings)
            if invoicing.is_announced is issues:
                continue
            if invoicing.settings.is_on and (wrong := invalid(invoicing.settings)):
                fields = [(one.field or "").removeprefix("settings.") for one in wrong]
                log.warning("invoices held back until legal details are corrected", shop=shop, fields=fields)
            unit.emit(settings_event_of(invoicing))
            await note_announced(unit.writes, shop, issues=issues)
