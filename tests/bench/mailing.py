"""How fast a backlog of mails is sent, and the processor time of each, from a database that knows them all.

The notifier runs alone. All of its mails are made due again, so that what is measured is reading, composing, handing
over and recording. The floor writes as many ready-made texts to the same mail server: what it takes at the most. It
reads, composes and records nothing, so the goal alone decides.
"""

import time

from tests.bench.processes import processor_seconds
from tests.bench.raw_smtp import Mails
from tests.bench.row import Row
from tests.bench.stage import Stage

GOAL_PER_SECOND = 150
GOAL_MS = 8.0
SERVICE = "notifier"
_DONE = "SELECT count(*) FROM msg.effect WHERE kind = 'mail' AND state = 'done'"
_AGAIN = """UPDATE msg.effect SET state = 'planned', attempts = 0, detail = 'sent again by the bench', next_at = now()
    WHERE kind = 'mail'"""


async def measure(stage: Stage) -> list[Row]:
    """Mails a second beside the floor, and milliseconds of the notifier's processor time for each."""
    await stage.use_mail_server(keeps_journal=False)
    await stage.run_only("orders", SERVICE)
    before = await stage.fetchval(SERVICE, _DONE)
    await stage.place(stage.scale.mailed_orders)
    mails = before + 2 * stage.scale.mailed_orders
    await stage.until(SERVICE, _DONE, mails)
    await stage.ours.supervisor.stop("orders")
    await stage.ours.supervisor.stop(SERVICE)
    await stage.fetch(SERVICE, _AGAIN)
    await stage.start(SERVICE)
    stage.progress.begin(f"mails: {mails} due")
    pid = stage.ours.supervisor.pid(SERVICE)
    began, used = time.monotonic(), processor_seconds(pid)
    left = mails - await stage.fetchval(SERVICE, _DONE)
    await stage.until(SERVICE, _DONE, mails)
    seconds, used = time.monotonic() - began, processor_seconds(pid) - used
    return [
        Row(
            "mails",
            left / seconds,
            "mails/s",
            floor=await _floor(stage, mails),
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


async def _floor(stage: Stage, mails: int) -> float:
    raw = Mails("127.0.0.1", stage.ours.smtp_port)
    began = time.monotonic()
    await raw.send(mails)
    return mails / (time.monotonic() - began)
