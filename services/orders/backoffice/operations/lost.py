"""Messages lost by a queue: the sender's log compared with what the consumer has handled."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.orders.api.owners.clients import Owner
from services.orders.backoffice.operations import parked
from services.orders.backoffice.web.page_context import PageContext

MOST_PAGES = 40
"""Maximum pages of 5,000 messages compared in one request."""


@dataclass
class Lost:
    """Ids of messages never handled, how many of each type, and whether the whole period was searched."""

    ids: list[str] = field(default_factory=list)
    types: Counter[str] = field(default_factory=Counter)
    is_whole: bool = True


async def find(context: PageContext, listener: Owner, sender: Owner, span: Mapping[str, str]) -> Lost:
    """Return what the sender sent in the period `span` (from, to) and the consumer never handled. Raises
    OwnerUnavailable.
    """
    found, after = Lost(), None
    for _ in range(MOST_PAGES):
        answer = await parked.ask(
            context, sender, "sent", {"consumer": listener, "after": after, "shop": context.shop, **span}
        )
        kinds = {message["id"]: message["type"] for message in answer.get("messages", ())}
        if kinds:
            unheard = await parked.ask(context, listener, "unheard", {"sender": sender, "ids": list(kinds)})
            found.ids += unheard.get("ids", ())
            found.types.update(kinds[one] for one in unheard.get("ids", ()))
        after = answer.get("next")
        if after is None:
            return found
    found.is_whole = False
    return found


async def send_again(
    context: PageContext, listener: Owner, sender: Owner, ids: list[str], at_once: int = 5000
) -> int:
    """Have the sender send these messages again unchanged; return how many. Raises OwnerUnavailable."""
    sent = 0
    for begun in range(0, len(ids), at_once):
        part = ids[begun : begun + at_once]
        body: dict[str, Any] = {"consumer": listener, "ids": part, "shop": context.shop}
        sent += int((await parked.ask(context, sender, "send-again", body)).get("messages", 0))
    return sent
