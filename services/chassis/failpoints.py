"""Failpoints: named points at which a test may kill the process, so that every crash can be tested on purpose.

`COMPTOIR_FAILPOINT=after_commit@orders.payments:3` kills the process (SIGKILL) the third time it reaches that
point. `COMPTOIR_FAILPOINT_MARK` names a file that is written first: it shows a test that the failpoint fired,
and keeps a restarted process from being killed again. Without these variables nothing happens.
"""

import os
import signal
from pathlib import Path

NAMES = (
    "received",
    "inbox_written",
    "before_commit",
    "after_commit",
    "before_ack",
    "before_confirm",
    "after_confirm",
    "effect_in_flight",
    "mail_addressed",
    "mail_introduced",
    "mail_whole",
    "mail_accepted",
    "webhook_committed",
    "inbound_committed",
)


def _read(text: str) -> tuple[str, str, int]:
    """Return name, place and count from `after_commit@orders.payments:3`; place and count are optional."""
    point, _, number = text.partition(":")
    name, _, place = point.partition("@")
    if name and name not in NAMES:
        raise SystemExit(f"COMPTOIR_FAILPOINT names {name!r}; known are {', '.join(NAMES)}")
    if number and not number.isdigit():
        raise SystemExit(f"COMPTOIR_FAILPOINT is {text!r}; write name@place:number")
    return name, place, int(number or 1)


_name, _place, _passes_left = _read(os.environ.get("COMPTOIR_FAILPOINT", ""))
_mark = os.environ.get("COMPTOIR_FAILPOINT_MARK")
if _mark and Path(_mark).exists():
    _name = ""


def reach(name: str, place: str = "") -> None:
    """Kill this process if this failpoint is armed and its count is reached.

    `place` distinguishes callers of the same failpoint: a queue, or the purpose of a unit.
    """
    global _passes_left
    if name != _name or (_place and place != _place):
        return
    _passes_left -= 1
    if _passes_left > 0:
        return
    if _mark:
        Path(_mark).write_text(f"{name}@{place}")
    os.kill(os.getpid(), signal.SIGKILL)
