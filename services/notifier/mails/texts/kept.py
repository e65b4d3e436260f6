"""Cache of the texts and profiles that mails were planned with: a version never changes, so it can be kept."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import MappingProxyType

from contracts.notifier.mail_texts import TextPart
from services.chassis.storage.database import Connection
from services.notifier.mails.mail import Mail
from services.notifier.mails.settings import ShopProfile
from services.notifier.mails.texts import store
from services.notifier.mails.texts.profile import overlaid

Acquire = Callable[[], AbstractAsyncContextManager[Connection]]
_Key = tuple[str, str, str, tuple[tuple[str, int], ...]]


@dataclass(frozen=True, slots=True)
class Planned:
    """What a mail was planned with: the shop's own texts by part, and its changed profile."""

    texts: Mapping[TextPart, str]
    profile: store.ProfileRow | None = None

    def shop(self, configured: ShopProfile) -> ShopProfile:
        """Return the shop's profile as this mail shows it."""
        return overlaid(configured, self.profile)


NOTHING = Planned(MappingProxyType({}))


class KeptTexts:
    """At most `limit` combinations of versions; the oldest are dropped first."""

    def __init__(self, limit: int = 256) -> None:
        self._limit = limit
        self._kept: OrderedDict[_Key, Planned] = OrderedDict()

    async def of(self, mail: Mail, wording: str, locale: str, acquire: Acquire) -> Planned:
        """Return the texts and the profile of a mail; those it was planned with."""
        if not mail.versions:
            return NOTHING
        key = mail.shop, wording, locale, tuple(sorted(mail.versions.items()))
        if key not in self._kept:
            async with acquire() as connection:
                found = await store.read_versions(connection, mail.shop, wording, locale, dict(mail.versions))
            self._kept[key] = Planned(*found)
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)
        return self._kept[key]
