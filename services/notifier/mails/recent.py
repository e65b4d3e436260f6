"""Mails this process decided on a moment ago, so that sending them needs no reading back.

A mail never changes, and its addressee is the one for whom it was decided on: an edit of the order counts for later
mails. What is not here (another process decided it, or it is long ago) is read from the database: nothing depends on
this but speed.
"""

from collections import OrderedDict
from collections.abc import Iterable
from uuid import UUID

from services.notifier.mails.mail import Mail, Recipient

Pair = tuple[Mail, Recipient]


class Recent:
    """At most `limit` mails with their orders' addressees; the oldest go first."""

    def __init__(self, limit: int = 4096) -> None:
        self._limit = limit
        self._pairs: OrderedDict[UUID, Pair] = OrderedDict()

    def keep(self, pairs: Iterable[Pair]) -> None:
        """Remember mails that are committed."""
        for mail, addressee in pairs:
            self._pairs.setdefault(mail.id, (mail, addressee))
        while len(self._pairs) > self._limit:
            self._pairs.popitem(last=False)

    def get(self, identifier: UUID) -> Pair | None:
        """A mail, if it is remembered."""
        return self._pairs.get(identifier)

    def forget(self, identifiers: Iterable[UUID]) -> None:
        """Mails whose fate is settled."""
        for identifier in identifiers:
            self._pairs.pop(identifier, None)

    def clear(self) -> None:
        """Forget all, as a new process would."""
        self._pairs.clear()


recent = Recent()
"""This process's."""
