"""Whatever a foreign client puts into the AMQP properties of a message, the messages around it are handled."""

import struct
from typing import Any

from aiormq import spec

from services.chassis.testing import wait_until
from tests.chassis.bus import Bus, framed
from tests.chassis.conftest import Hubs
from tests.chassis.messaging.test_consuming import stopped_with_nothing_left
from tests.chassis.operators import parked_by_http
from tests.chassis.sample import ask

TYPE_FLAG, MESSAGE_ID_FLAG, TIMESTAMP_FLAG, HEADERS_FLAG = 32, 128, 64, 8192


class Raw(spec.Basic.Properties):
    """Properties as bytes: flags, then the values."""

    def __init__(self, flags: int, values: bytes) -> None:
        super().__init__(message_id="raw")
        self.raw = struct.pack(">H", flags) + values

    def marshal(self) -> bytes:
        return self.raw


def table(*fields: bytes) -> bytes:
    """A field table."""
    whole = b"".join(fields)
    return struct.pack(">I", len(whole)) + whole


ODD = {
    "type is no UTF-8": Raw(TYPE_FLAG, b"\x03\xff\xfe\xfd"),
    "message_id is no UTF-8": Raw(MESSAGE_ID_FLAG, b"\x02\xc3\x28"),
    "timestamp is past all years": Raw(TIMESTAMP_FLAG, struct.pack(">Q", 2**63)),
    "header name is no UTF-8": Raw(HEADERS_FLAG, table(b"\x02\xff\xfet\x01")),
    "header moment is past all years": Raw(HEADERS_FLAG, table(b"\x01aT" + struct.pack(">Q", 2**62))),
    "header of an unsigned 64-bit number": Raw(HEADERS_FLAG, table(b"\x01al" + struct.pack(">Q", 2**64 - 1))),
    "no properties": Raw(0, b""),
}


async def publish_raw(bus: Bus, properties: Any) -> None:
    """Publish a SetStock with such properties."""
    envelope, body = framed(ask())
    async with bus.channel("orders") as channel:
        await channel.basic_publish(
            body, exchange="orders", routing_key=envelope.type, properties=properties, mandatory=True
        )


async def test_it_is_parked_and_the_others_go_on(hubs: Hubs, bus: Bus) -> None:
    hub = await hubs()
    for name, properties in ODD.items():
        await publish_raw(bus, properties)
        await bus.publish([framed(ask(sku=name[:60]))])
    await wait_until(lambda: hub.pool.fetchval("SELECT count(*) >= $1 FROM seen", len(ODD)))
    rows = await wait_until(lambda: all_parked(hub))
    assert {row["reason"] for row in rows} == {"envelope_unreadable"}
    assert await hub.pool.fetchval("SELECT count(*) FROM seen") == len(ODD)
    assert await stopped_with_nothing_left(hub, bus)


async def all_parked(hub: Any) -> list[dict[str, Any]]:
    """The parked rows once there is one per oddity."""
    rows = await parked_by_http(hub)
    return rows if len(rows) == len(ODD) else []
