"""How fast a backlog of mails is sent, and the processor time of each, from a database that knows them all.

The notifier runs alone. All of its mails are made due again, so that what is measured is reading, composing, handing
over and recording. The floor writes as many ready-made texts to the same mail server: what it takes at the most. It
reads, composes and records nothing, so the goal alone decides.
"""

import time

from tests.bench.harness import Harness
from tests.bench.processes import processor_seconds
from tests.bench.raw_smtp import Mails
from tests.bench.row import Row

GOAL_PER_SECOND = 150
GOAL_MS = 8.0
SERVICE = "notifier"
_DONE = "SELECT count(*) FROM msg.effect WHERE kind = 'mail' AND state = 'done'"
_AGAIN = """UPDATE msg.effect SET state = 'planned', attempts = 0, detail = 'sent again by the bench', next_at = now()
    WHERE kind = 'mail'"""


async def measure(harness: Harness) -> list[Row]:
    """Mails a second beside the floor, and milliseconds of the notifier's processor time for each."""
    await harness.use_mail_server(keeps_journal=False)
    await harness.run_only("orders", SERVICE)
    before = await harness.fetchval(SERVICE, _DONE)
    await harness.place(harness.scale.mailed_orders)
    mails = before + 2 * harness.scale.mailed_orders
    await harness.until(SERVICE, _DONE, mails)
    await harness.ours.supervisor.stop("orders")
    await harness.ours.supervisor.stop(SERVICE)
    await harness.fetch(SERVICE, _AGAIN)
    await harness.start(SERVICE)
    harness.progress.begin(f"mails: {mails} due")
    pid = harness.ours.supervisor.pid(SERVICE)
    began, used = time.monotonic(), processor_seconds(pid)
    left = mails - await harness.fetchval(SERVICE, _DONE)
    await harness.until(SERVICE, _DONE, mails)
    seconds, used = time.monotonic() - began, processor_seconds(pid) - used
    return [
        Row(
            "mails",
            left / seconds,
            "mails/s",
            floor=await _floor(harness, mails),
            goal=GOAL_PER_SECOND,
            is_floor_partial=True,
        ),
        Row(
            "mails processor time",
            used / left * 1000 if left else 0.0,
            "ms/mail",
            goal=GOAL_MS,
            less_is_better=True,
        ),
    ]


async def _floor(harness: Harness, mails: int) -> float:
    raw = Mails("127.0.0.1", harness.ours.smtp_port)
    began = time.monotonic()
    await raw.send(mails)
    return mails / (time.monotonic() - began)
