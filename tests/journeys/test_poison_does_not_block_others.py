"""An unreadable message is parked, and the messages behind it are handled."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aio_pika
import pytest

from contracts.catalogue import SERVICES, consumed_by, queues_of
from contracts.envelope import MAX_BODY_BYTES, Envelope, uuid7
from tests.journeys.sales import a_sale
from tests.journeys.shop import Shop


@dataclass(frozen=True)
class Poison:
    """An invalid message: `type_of` changes the type, `body` is sent."""

    reason: str
    type_of: Callable[[str], str]
    body: bytes
    explained: str


SUBMITTED = "storefront.order.submitted.v1"
"""The storefront's message that is always answered instead of parked."""
POISONS = (
    Poison(
        "unknown_type",
        lambda type_: f"{type_.partition('.')[0]}.moon.eclipsed.v1",
        b"{}",
        "is in no catalogue",
    ),
    Poison("unknown_version", lambda type_: type_.removesuffix("1") + "9", b"{}", "newer than v1"),
    Poison("schema_invalid", lambda type_: type_, b"\x00\xff not JSON", "does not fit contracts/schemas/"),
    Poison("schema_invalid", lambda type_: type_, b'{"shop": 7}', "is missing: send it"),
    Poison("schema_invalid", lambda type_: type_, b"[]", "does not fit contracts/schemas/"),
)


@pytest.mark.parametrize("service", SERVICES)
async def test_every_kind_of_poison_is_parked_and_an_order_passes_it(shop: Shop, service: str) -> None:
    sent = [await publish(shop, queue, poison) for queue in queues_of(service) for poison in POISONS]
    sale = a_sale()
    [order] = await shop.order(sale)
    await shop.report(sale)
    await shop.until_order(order, state="ready", payment_status="paid", stock="reserved")
    await shop.deliver(order, await shop.ship(order, [await shop.pack(order, {1: 2})]))
    await shop.until_order(order, state="completed")
    await shop.mails_to(sale.recipient)

    rows = {
        row["event_id"]: row for state in ("dead", "discarded") for row in await shop.parked(service, state)
    }
    for queue, poison, event_id in sent:
        row = rows[event_id]
        is_notified = queue.endswith(".storefront") and poison.reason == "schema_invalid"
        state = "discarded" if is_notified else "dead"
        assert (row["queue"], row["reason"], row["state"]) == (queue, poison.reason, state)
        assert poison.explained in row["detail"]
        if not is_notified:
            await shop.discard(service, row, "made up by a test")
    assert not {row["event_id"] for row in await shop.parked(service)} & {event_id for *_, event_id in sent}
    discarded = {row["event_id"] for row in await shop.parked(service, "discarded")}
    assert discarded >= {event_id for *_, event_id in sent}


@pytest.mark.parametrize("sender", ["storefront", "payments"])
async def test_the_broker_takes_nothing_above_the_contracts_size(shop: Shop, sender: str) -> None:
    body = b'"' + b"x" * MAX_BODY_BYTES + b'"'
    with pytest.raises(aio_pika.exceptions.ChannelPreconditionFailed, match=str(MAX_BODY_BYTES)):
        await _send(shop, sender, f"orders.{sender}", {}, body)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"cloudEvents_id": "7"},
        {"cloudEvents_id": bytearray(b"\xff\xfe")},
        {"cloudEvents_specversion": "2.0"},
    ],
    ids=["no envelope", "no UUID", "no text", "another CloudEvents"],
)
async def test_a_message_without_a_readable_envelope_is_parked(
    shop: Shop, headers: Mapping[str, Any]
) -> None:
    before = {row["id"] for row in await shop.parked("orders")}
    await _send(shop, "payments", "orders.payments", dict(headers), b"{}")

    async def parked() -> dict[str, Any] | None:
        return next((row for row in await shop.parked("orders") if row["id"] not in before), None)

    row = await shop.until("a parked message", parked)
    assert row["reason"] == "envelope_unreadable"
    assert "CloudEvents" in row["detail"] or "attribute" in row["detail"] or "header" in row["detail"]
    await shop.discard("orders", row, "made up by a test")


async def publish(shop: Shop, queue: str, poison: Poison) -> tuple[str, Poison, str]:
    """Send a wrong message to a queue; the queue, the fault, and the message's id."""
    listener, _, sender = queue.partition(".")
    types = [entry.type for entry in consumed_by(listener) if entry.sender == sender]
    type_ = SUBMITTED if SUBMITTED in types else types[0]
    source = f"/{sender}/{shop.name}/shop" if sender == "storefront" else f"/{sender}"
    envelope = Envelope(uuid7(), source, poison.type_of(type_), datetime.now(UTC), shop.name)
    await _send(shop, sender, queue, dict(envelope.headers()), poison.body)
    return queue, poison, str(envelope.id)


async def _send(shop: Shop, sender: str, queue: str, headers: dict[str, Any], body: bytes) -> None:
    """Publish to one queue, with the sender's own login."""
    login = f"storefront.{shop.name}.shop" if sender == "storefront" else sender
    async with await aio_pika.connect(shop.system.amqp_url(login)) as connection:
        exchange = await (await connection.channel()).get_exchange(sender, ensure=False)
        message = aio_pika.Message(body, headers=headers, delivery_mode=2, user_id=login)
        await exchange.publish(message, queue, mandatory=True)
