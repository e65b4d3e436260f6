"""Commands and addresses of conversations for the notifier's tests."""

from typing import Any
from uuid import UUID, uuid4

from contracts.notifier.conversation import (
    AddParticipant,
    ChangeThread,
    FileMail,
    PostMessage,
    RemoveParticipant,
)
from contracts.orders.lifecycle import OrderPlaced
from services.notifier.conversation.reply_addresses import ReplyAddresses
from tests.notifier.builders import SHOP

DOMAIN = "reply.atelier.example"
ADDRESSES = ReplyAddresses(DOMAIN, "a-token-for-tests-only")


def reply_address(order: OrderPlaced) -> str:
    """Where the order's customer answers."""
    return ADDRESSES.of_customer(order.shop, order.order_id)


def a_message(order_id: UUID, **changes: Any) -> PostMessage:
    """Staff ask the customer for a size."""
    values: dict[str, Any] = {
        "shop": SHOP,
        "order_id": order_id,
        "message_id": uuid4(),
        "text": "Bonjour Zoé,\n\nquelle taille vous faut-il pour la bougie ?\n\nLéa",
        "author_name": "Léa",
        "actor": "lea@atelier.example",
    }
    return PostMessage(**{**values, **changes})


def a_change(order_id: UUID, change: str, **changes: Any) -> ChangeThread:
    """Staff change a thread."""
    values = {"shop": SHOP, "order_id": order_id, "change": change, "actor": "lea"}
    return ChangeThread.model_validate({**values, **changes})


def a_filing(inbound_id: UUID, **changes: Any) -> FileMail:
    """Staff file a received mail."""
    return FileMail.model_validate({"shop": SHOP, "inbound_id": inbound_id, "actor": "lea", **changes})


def a_participant(order_id: UUID, address: str, **changes: Any) -> AddParticipant:
    """Staff recognise an address as the customer's."""
    values = {"shop": SHOP, "order_id": order_id, "address": address, "actor": "lea", **changes}
    return AddParticipant.model_validate(values)


def a_removal(order_id: UUID, address: str, **changes: Any) -> RemoveParticipant:
    """Staff take back that an address is the customer's."""
    values = {"shop": SHOP, "order_id": order_id, "address": address, "actor": "lea", **changes}
    return RemoveParticipant.model_validate(values)
