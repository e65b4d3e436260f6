"""Where a mail to a bounce address ends: as a bounce, parked, or in the thread of its order like any other mail."""

from contracts.notifier.conversation import InboundOutcome
from services.chassis.messaging.unit import Unit
from services.notifier.conversation.inbound import Ending, InboundMail
from services.notifier.sending.bounces.receiving import Bounce, Parked, read_bounce


async def end_bounce(unit: Unit, mail: InboundMail) -> Ending | None:
    """Record what the mail reports, and return where it ends; None when it is not a report."""
    found = await read_bounce(unit, mail)
    if isinstance(found, Bounce):
        return Ending(InboundOutcome.BOUNCE, found.kind.value, found.mail.order_id)
    if isinstance(found, Parked):
        return Ending(InboundOutcome.PARKED, found.reason)
    return None
