"""How long a customer waits for the recap: from the submission's publishing to the mail server's 250.

Whole lives at a steady rate; the demo's mail server, which writes down when it accepted what. First at a calm rate,
which two cores carry easily, then at the rate of the goal.
"""

import asyncio
import time
from datetime import datetime

from contracts.catalogue import SERVICES
from deploy.local.mailserver import read_journal
from tests.bench.harness import POLL_SECONDS, Harness
from tests.bench.life import lives
from tests.bench.row import Held, Row, percentile

GOAL_P50_MS, GOAL_P99_MS = 50, 250
LAST_SECONDS = 1.0
RECAPS = "SELECT order_id, message_id FROM mail WHERE template = 'order_recap' AND order_id = ANY($1)"


async def measure(harness: Harness) -> list[Row]:
    """The middle and the slowest hundredth."""
    await harness.use_mail_server(keeps_journal=True)
    await harness.run_only(*SERVICES)
    await harness.set_stock()
    scale = harness.scale
    calm = await _waits_at(harness, scale.latency_calm_per_second)
    full = await _waits_at(harness, scale.latency_per_second)
    return [
        *_rows(f"latency at {scale.latency_calm_per_second:.0f}/s", *calm),
        *_rows("latency", *full),
    ]


def _rows(name: str, waits: list[float], held: Held) -> list[Row]:
    return [
        Row(f"{name} p50", percentile(waits, 50), "ms", goal=GOAL_P50_MS, less_is_better=True, held=held),
        Row(f"{name} p99", percentile(waits, 99), "ms", goal=GOAL_P99_MS, less_is_better=True, held=held),
    ]


async def _waits_at(harness: Harness, per_second: float) -> tuple[list[float], Held]:
    seconds = harness.scale.latency_seconds
    seen = await lives(harness, seconds, per_second)
    waits = await _waits_ms(harness, seen["submitted"])
    held = held_over(per_second, seen["finished"], seconds, seen["seconds"])
    harness.notes.append(
        f"latency: {len(waits)} whole lives at {per_second:.0f}/s ({held}), demo's mail server; "
        f"p90 {percentile(waits, 90):.0f} ms, most {max(waits, default=0):.0f} ms"
    )
    return waits, held


def held_over(requested: float, finished: int, seconds: float, took: float) -> Held:
    """The rate held: so many were to begin within some seconds; they took longer by the last ones' own time at least,
    of which a second is nothing that fell behind."""
    return Held(requested, finished / max(took - LAST_SECONDS, seconds))


async def _waits_ms(harness: Harness, submitted: dict[str, float]) -> list[float]:
    """The wait of each; one that is not over after a while counts with what it has waited so far."""
    deadline = asyncio.get_running_loop().time() + 30
    while True:
        accepted = {
            mail.message_id: datetime.fromisoformat(mail.time).timestamp()
            for mail in read_journal(harness.ours.mail_journal)
        }
        recaps = await harness.fetch("notifier", RECAPS, list(submitted))
        waits = {
            str(row["order_id"]): (accepted[row["message_id"]] - submitted[str(row["order_id"])]) * 1000
            for row in recaps
            if row["message_id"] in accepted
        }
        if len(waits) == len(submitted):
            return list(waits.values())
        if asyncio.get_running_loop().time() > deadline:
            harness.notes.append(f"latency: {len(waits)} of {len(submitted)} recaps were accepted")
            now = time.time()
            return [waits.get(order_id, (now - at) * 1000) for order_id, at in submitted.items()]
        harness.progress.report(f"latency: {len(waits):,} of {len(submitted):,} recaps accepted")
        await asyncio.sleep(POLL_SECONDS)
