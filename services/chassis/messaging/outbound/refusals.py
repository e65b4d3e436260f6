"""The reasons for which the broker or the protocol refuses a message, so that it waits a while."""

import struct
from dataclasses import dataclass
from datetime import timedelta

from aio_pika.exceptions import DeliveryError, PublishError
from aiormq.exceptions import (
    ChannelAccessRefused,
    ChannelClosed,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
    ConnectionClosed,
)

from services.chassis.messaging.outgoing import Outgoing

REFUSED_PAUSE = timedelta(seconds=30)
GONE_PAUSE = timedelta(hours=1)
EVENT_GONE = "event_gone"
"""The reason why a message can't be sent whose event was removed from the log by hand; housekeeping never does so."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message that can't be sent by an immediate retry. It waits a while and blocks no other."""

    outgoing: Outgoing
    why: str
    error: BaseException


_CHANNEL_ENDS = (ChannelNotFoundEntity, ChannelAccessRefused, ChannelPreconditionFailed)
ENDED_BY_THE_BROKER = (ChannelClosed, ConnectionClosed)
_UNSENDABLE = (ValueError, TypeError, struct.error)


def why_refused(outgoing: Outgoing, error: BaseException) -> str | None:
    """Return why a message was refused.

    `returned`: it matches no queue. `nacked`: a queue is full. `unsendable`: AMQP can't represent it.
    `no_exchange`: its exchange is missing or forbidden, which closes the channel for all; the broker names the
    exchange, and beside it the user, whose name an exchange of other messages may have. None: the reason is unknown.
    """
    if isinstance(error, PublishError):
        return "returned"
    if isinstance(error, DeliveryError):
        return "nacked"
    if isinstance(error, _UNSENDABLE):
        return "unsendable"
    if isinstance(error, _CHANNEL_ENDS) and f"exchange '{outgoing.exchange}'" in str(error):
        return "no_exchange"
    return None
