"""Cache of mails that this process planned recently, so that sending them needs no read.

A mail never changes, and its recipient is the one for whom it was planned: an edit of the order counts for
later mails. A mail that is not here (planned by another process, or long ago) is read from the database: only
speed depends on this cache.
"""

from collections import OrderedDict
from collections.abc import Iterable
from uuid import UUID

from services.notifier.mails.mail import Mail, Recipient

Pair = tuple[Mail, Recipient]


class Recent:
    """At most `limit` mails with their orders' recipients; the oldest are dropped first."""

    def __init__(self, limit: int = 4096) -> None:
        self._limit = limit
        self._pairs: OrderedDict[UUID, Pair] = OrderedDict()

    def keep(self, pairs: Iterable[Pair]) -> None:
        """Cache mails that are committed."""
        for mail, recipient in pairs:
            self._pairs.setdefault(mail.id, (mail, recipient))
        while len(self._pairs) > self._limit:
            self._pairs.popitem(last=False)

    def get(self, identifier: UUID) -> Pair | None:
        """Return a mail, if it is cached."""
        return self._pairs.get(identifier)

    def forget(self, identifiers: Iterable[UUID]) -> None:
        """Drop mails whose outcome is settled."""
        for identifier in identifiers:
            self._pairs.pop(identifier, None)

    def clear(self) -> None:
        """Drop all mails, as in a new process."""
        self._pairs.clear()


recent = Recent()
"""This process's cache."""
