"""Gauges of the notifier's database: mails that came back, are held or wait for their invoice, and alarms of mail
servers that refuse a shop's mails as unwanted.

Mails that wait, are being sent, failed or are uncertain are the effects of kind `mail`: `comptoir_effect_rows`.
"""

import prometheus_client

from services.chassis.messaging import timer_store
from services.chassis.messaging.process import Process
from services.notifier.mails.holding.holds import TIMER
from services.notifier.sending.bounces.alarm import QUIET
from services.notifier.sending.bounces.store import count_ends, read_alarms

WORKER = "measures"
IDLE_SECONDS = 5.0
ENDS = ("bounced", "suppressed")
MAIL_ENDS = prometheus_client.Gauge(
    "comptoir_mail_ends", "Mails that came back, or were not sent to a suppressed address.", ["state"]
)
HELD = prometheus_client.Gauge("comptoir_mails_held", "Recaps that wait for the invoice of their order.")
REFUSING = prometheus_client.Gauge(
    "comptoir_shops_refused_as_unwanted",
    "Shops whose mails were refused as unwanted within a day.",
)


async def measure(process: Process) -> bool:
    """Set the gauges."""
    async with process.acquire() as connection:
        ends = await count_ends(connection)
        held = await timer_store.count_timers(connection, TIMER)
        alarms = await read_alarms(connection, process.clock.now() - QUIET)
    for state in ENDS:
        MAIL_ENDS.labels(state).set(ends.get(state, 0))
    HELD.set(held)
    REFUSING.set(len(alarms))
    return False
