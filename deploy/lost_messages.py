"""Recovery of messages that a queue lost: finds them and sends them again as what they are, commands or
events with their effects. `comptoir lost` is its command line.

`comptoir restore` does so with all senders and consumers; effects are not executed meanwhile.
"""

from collections.abc import Mapping, Sequence

from deploy.cli.services import Services

AT_ONCE = 5000
"""Message ids in one request: the maximum that a service returns at once."""


def find(
    services: Services, sender: str, consumer: str, span: Mapping[str, str], shop: str | None = None
) -> dict[str, str]:
    """Return the types of the messages that the sender sent in the time `span` (from, to) and the consumer
    never handled, by id; of one shop or of all. Raises Failure, also for a shop of which it has sent nothing.
    """
    found: dict[str, str] = {}
    after = None
    while True:
        query = {"consumer": consumer, "after": after, "shop": shop, "check_shop": True, **span}
        answer = services.post(sender, "sent", query)
        types = {message["id"]: message["type"] for message in answer["messages"]}
        if types:
            ids = services.post(consumer, "unheard", {"sender": sender, "ids": list(types)})["ids"]
            found |= {one: types[one] for one in ids}
        after = answer["next"]
        if after is None:
            return found


def send(services: Services, sender: str, consumer: str, ids: Sequence[str], actor: str) -> int:
    """Have the sender send these again and return how many were accepted. Raises Failure."""
    parts = [ids[begun : begun + AT_ONCE] for begun in range(0, len(ids), AT_ONCE)]
    query = ({"consumer": consumer, "ids": list(part), "actor": actor} for part in parts)
    return sum(int(services.post(sender, "send-again", body)["messages"]) for body in query)
