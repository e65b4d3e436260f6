"""A person's word on a mail that failed, is uncertain or went astray: send it again.

It is the same mail with the same Message-ID and Date; a reader that already has it can tell.
"""

from uuid import UUID

from services.chassis.effects import decide
from services.chassis.unit import Unit
from services.notifier import store


class UnknownMail(LookupError):
    """No mail has this id."""

    def __init__(self, identifier: UUID) -> None:
        super().__init__(f"no mail has the id {identifier}; GET /internal/mails lists them")
        self.identifier = identifier


class MailOnItsWay(ValueError):
    """The mail is planned or in flight, so there is nothing to decide yet."""

    def __init__(self, identifier: UUID) -> None:
        super().__init__(f"mail {identifier} is planned or in flight already; wait for its outcome")
        self.identifier = identifier


async def send_again(unit: Unit, identifier: UUID, actor: str) -> None:
    """Plan a settled mail's sending anew. Raises UnknownMail, MailOnItsWay."""
    if not await store.read_mails(unit.connection, [identifier]):
        raise UnknownMail(identifier)
    if not await decide(unit, str(identifier), "planned", f"sent again by {actor}"):
        raise MailOnItsWay(identifier)
