"""The life of one real order as the messages each service received, and copies of it under other ids.

A life is recorded once from a running system: every message with a consumer, from the senders' event logs, the
storefront's messages, and the posted webhooks. A copy has new ids, keys and provider references throughout, so
that hundreds of copies can be handled on one system and compared literally.
"""

import re
import secrets
from dataclasses import dataclass, replace
from uuid import UUID

import asyncpg

from contracts.catalogue import CATALOGUE, SERVICES, STOREFRONT
from contracts.envelope import Envelope, uuid7
from deploy.demo.sales.sale import Sale
from deploy.local.system import System

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_STRIPE_ID = re.compile(r"\b(?:pi|evt|ch)_[0-9a-f]{24}\b")
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True)
class Received:
    """A message as it was on the wire; `user` published it."""

    user: str
    envelope: Envelope
    body: str


@dataclass(frozen=True)
class Life:
    """All messages and webhooks of one order, and its own ids, keys and code (`names`)."""

    messages: tuple[Received, ...]
    webhooks: tuple[str, ...]
    names: tuple[str, ...]

    def consumed_by(self, service: str) -> list[Received]:
        """Return the messages that a service receives."""
        return [message for message in self.messages if service in CATALOGUE[message.envelope.type].listeners]

    def under_other_names(self) -> tuple["Life", dict[str, str]]:
        """Return a copy with new names, and the old name by new one."""
        renamed = {name: _fresh(name) for name in self.names}
        messages = tuple(
            Received(
                message.user, _renamed_envelope(message.envelope, renamed), _rename(message.body, renamed)
            )
            for message in self.messages
        )
        webhooks = tuple(_rename(body, renamed) for body in self.webhooks)
        copy = Life(messages, webhooks, tuple(renamed.values()))
        return copy, {new: old for old, new in renamed.items()}


async def record(system: System, sale: Sale, code: str) -> Life:
    """Return the life of a sale that was handled on this system, which must have no other order."""
    messages = [await _submission(system, sale)]
    for sender in SERVICES:
        messages += await _published(system, sender)
    connection = await asyncpg.connect(system.databases["payments"])
    webhooks = tuple(row["body"].decode() for row in await connection.fetch("SELECT body FROM webhook"))
    await connection.close()
    texts = [*webhooks, *(f"{message.envelope} {message.body}" for message in messages)]
    names = {name for text in texts for pattern in (_UUID, _STRIPE_ID) for name in pattern.findall(text)}
    return Life(tuple(messages), webhooks, (*sorted(names), sale.submission.idempotency_key, code))


def rename_back(text: str, old_names: dict[str, str]) -> str:
    """Return a text of a copy with the names of the original life."""
    return _rename(text, old_names)


async def _submission(system: System, sale: Sale) -> Received:
    shop, module = sale.submission.shop, sale.module
    connection = await asyncpg.connect(system.databases["orders"])
    body, sent_at = await connection.fetchrow(
        """SELECT s.body::text, a.happened_at FROM submission s JOIN activity a ON a.item = s.submission_id
           WHERE s.submission_id = $1 AND a.kind = 'order_placed'""",
        sale.event_id,
    )
    await connection.close()
    envelope = Envelope(
        id=sale.event_id,
        source=f"/{STOREFRONT}/{shop}/{module}",
        type="storefront.order.submitted.v1",
        time=sent_at,
        shop=shop,
        subject=str(sale.event_id),
        correlation_id=str(sale.event_id),
    )
    return Received(f"{STOREFRONT}.{shop}.{module}", envelope, body)


async def _published(system: System, sender: str) -> list[Received]:
    connection = await asyncpg.connect(system.databases[sender])
    rows = await connection.fetch("SELECT * FROM msg.event_log ORDER BY id")
    await connection.close()
    return [
        Received(
            sender,
            Envelope(
                id=row["id"],
                source=f"/{sender}",
                type=row["type"],
                time=row["time"],
                shop=row["shop"],
                subject=row["subject"],
                sequence=row["sequence"],
                correlation_id=row["correlation_id"],
                causation_id=row["causation_id"],
            ),
            row["body"].decode(),
        )
        for row in rows
        if CATALOGUE[row["type"]].listeners and "stock." not in row["type"].replace("stock.reserved", "")
    ]


def _renamed_envelope(envelope: Envelope, renamed: dict[str, str]) -> Envelope:
    causation = envelope.causation_id
    return replace(
        envelope,
        id=UUID(_rename(str(envelope.id), renamed)),
        subject=_rename(envelope.subject, renamed) if envelope.subject else None,
        correlation_id=_rename(envelope.correlation_id, renamed) if envelope.correlation_id else None,
        causation_id=UUID(_rename(str(causation), renamed)) if causation else None,
    )


def _rename(text: str, names: dict[str, str]) -> str:
    return re.sub("|".join(map(re.escape, sorted(names, key=len, reverse=True))), lambda m: names[m[0]], text)


def _fresh(name: str) -> str:
    if _UUID.fullmatch(name):
        return str(uuid7())
    if _STRIPE_ID.fullmatch(name):
        return f"{name.partition('_')[0]}_{secrets.token_hex(12)}"
    if re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}", name):
        letters = [secrets.choice(_ALPHABET) for _ in range(8)]
        return f"{''.join(letters[:4])}-{''.join(letters[4:])}"
    return f"{name}-{secrets.token_hex(6)}"
