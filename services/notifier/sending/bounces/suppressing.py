"""Commands about suppressed addresses: suppress one, or lift what suppresses it. Each ends in one outcome.

Lifting sends nothing: the mails that were held are offered to staff, who send them.
"""

from functools import partial

from contracts.envelope import Envelope
from contracts.message import Reason
from contracts.notifier.bounces import (
    AddressSuppressed,
    LiftSuppression,
    SuppressAddress,
    SuppressionKind,
    SuppressionLifted,
)
from contracts.service import CommandDone, CommandRejected
from services.chassis.addresses import comparable
from services.chassis.messaging.subscribers import ReceivedMessage
from services.chassis.messaging.unit import Unit
from services.notifier.mails.addresses import AddressUnusable, usable_address
from services.notifier.mails.unit import MailUnit
from services.notifier.sending.bounces import store


def suppress(work: MailUnit, received: ReceivedMessage[SuppressAddress]) -> None:
    """Have the unit suppress the address; nothing has to change if staff did so before."""
    command, envelope = received.message, received.envelope
    try:
        usable_address(command.address)
    except AddressUnusable:
        work.unit.emit(_rejection(command, envelope), cause=envelope)
        return
    work.last_steps.append(partial(_suppress, command=command, envelope=envelope))


def lift(work: MailUnit, received: ReceivedMessage[LiftSuppression]) -> None:
    """Have the unit lift all that suppresses the address; nothing has to change if nothing does."""
    work.last_steps.append(partial(_lift, command=received.message, envelope=received.envelope))


async def _suppress(unit: Unit, command: SuppressAddress, envelope: Envelope) -> None:
    address, kind = comparable(command.address), SuppressionKind.MANUAL
    row = store.SuppressionRow(
        id=envelope.id,
        shop=command.shop,
        address=address,
        kind=kind,
        since=unit.now,
        until=None,
        bounce_id=None,
        actor=command.actor,
        reason=command.reason,
    )
    if not await store.suppress(unit.connection, row):
        unit.emit(_nothing(command, envelope), cause=envelope)
        return
    event = AddressSuppressed(
        shop=command.shop,
        order_id=command.order_id,
        address=address,
        kind=kind,
        since=unit.now,
        reason=command.reason,
        actor=command.actor,
    )
    unit.emit(event, cause=envelope)


async def _lift(unit: Unit, command: LiftSuppression, envelope: Envelope) -> None:
    address = comparable(command.address)
    connection, now = unit.connection, unit.now
    lifted = await store.lift(connection, command.shop, address, command.actor, command.reason, now)
    if not lifted:
        unit.emit(_nothing(command, envelope), cause=envelope)
        return
    event = SuppressionLifted(
        shop=command.shop,
        order_id=command.order_id,
        address=lifted[0],
        order_ids=await store.read_orders_of(
            connection, command.shop, sorted({address, command.address.lower()})
        ),
        lifted_at=now,
        reason=command.reason,
        actor=command.actor,
    )
    unit.emit(event, cause=envelope)


def _nothing(command: SuppressAddress | LiftSuppression, envelope: Envelope) -> CommandDone:
    return CommandDone(
        shop=command.shop,
        order_id=command.order_id,
        command_id=envelope.id,
        command_type=envelope.type,
    )


def _rejection(command: SuppressAddress, envelope: Envelope) -> CommandRejected:
    reason = Reason(
        code="address_invalid",
        message="No mail can be sent to this address; correct it.",
        field="address",
    )
    return CommandRejected(
        shop=command.shop,
        order_id=command.order_id,
        command_id=envelope.id,
        command_type=envelope.type,
        reasons=[reason],
    )
