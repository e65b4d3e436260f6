"""Pipelined publishing: what aiormq's `basic_publish` does message by message, done for a batch in one write.

aiormq gives every publish a task, two timers and a system call of its own; on a busy service that was half of
the relay's time. Here the frames of a whole batch go to the socket at once. Confirms, returns and the closing
of a channel remain aiormq's: each publish has a delivery tag and a future in the channel's own tables.
"""

import asyncio
import io
from collections.abc import Sequence
from dataclasses import dataclass

import pamqp.frame
from aio_pika.abc import AbstractConnection
from aiormq import Channel, spec
from aiormq.abc import ChannelFrame
from pamqp.body import ContentBody
from pamqp.header import ContentHeader


@dataclass(frozen=True, slots=True)
class Publish:
    """One message to publish. `properties.message_id` must be unique among those in flight: returns refer to it."""

    exchange: str
    routing_key: str
    mandatory: bool
    properties: spec.Basic.Properties
    body: bytes


Confirm = asyncio.Future[object]


async def confirming_channel(connection: AbstractConnection) -> object:
    """Return aiormq's channel with publisher confirms; a message that matches no queue is returned as an error."""
    channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
    return await channel.get_underlay_channel()


async def publish_together(channel: Channel, batch: Sequence[Publish], seconds: float) -> list[Confirm]:
    """Write a batch; return one future per message, done when the broker has confirmed, nacked or returned it.

    A message that AMQP can't represent fails separately, with the encoder's error. Raises TimeoutError when
    the socket accepts no data.
    """
    async with asyncio.timeout(seconds), channel.lock:
        confirms: list[Confirm] = []
        with io.BytesIO() as frames:
            for publish in batch:
                try:
                    frames.write(_frames(channel, publish))
                except Exception as error:
                    confirms.append(_failed(error))
                else:
                    confirms.append(_expect_confirm(channel, str(publish.properties.message_id)))
            payload = frames.getvalue()
        if payload:
            await channel.write_queue.put(ChannelFrame(payload=payload, should_close=False))
    return confirms


async def outcomes(confirms: Sequence[Confirm], seconds: float) -> list[BaseException | None]:
    """Return the outcome of each: None when confirmed, else the error; TimeoutError for those unconfirmed
    after `seconds`."""
    waited_for = [confirm for confirm in confirms if not confirm.done()]
    if waited_for:
        await asyncio.wait(waited_for, timeout=seconds)
    return [_outcome(confirm, seconds) for confirm in confirms]


def _frames(channel: Channel, publish: Publish) -> bytes:
    header = ContentHeader(properties=publish.properties, body_size=len(publish.body))
    method = spec.Basic.Publish(
        exchange=publish.exchange, routing_key=publish.routing_key, mandatory=publish.mandatory
    )
    step = channel.max_content_size
    bodies = [ContentBody(publish.body[start : start + step]) for start in range(0, len(publish.body), step)]
    head = pamqp.frame.marshal(method, channel.number) + pamqp.frame.marshal(header, channel.number)
    return head + b"".join(pamqp.frame.marshal(body, channel.number) for body in bodies)


def _expect_confirm(channel: Channel, message_id: str) -> Confirm:
    channel.delivery_tag += 1
    confirm: Confirm = channel.create_future()
    channel.confirmations[channel.delivery_tag] = confirm
    channel.message_id_delivery_tag[message_id] = channel.delivery_tag
    confirm.add_done_callback(lambda _: channel.message_id_delivery_tag.pop(message_id, None))
    return confirm


def _failed(error: Exception) -> Confirm:
    confirm: Confirm = asyncio.get_running_loop().create_future()
    confirm.set_exception(error)
    return confirm


def _outcome(confirm: Confirm, seconds: float) -> BaseException | None:
    if not confirm.done():
        confirm.cancel()
        return TimeoutError(f"the broker did not confirm within {seconds:.0f} s")
    if confirm.cancelled():
        return ConnectionError("the channel ended before the confirm")
    return confirm.exception()
