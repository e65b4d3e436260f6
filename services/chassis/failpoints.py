"""Named places at which a test may kill the process, so that every crash can be tried on purpose.

`COMPTOIR_FAILPOINT=after_commit@orders.payments:3` kills (SIGKILL) at the third pass at that place.
`COMPTOIR_FAILPOINT_MARK` names a file that is written first: by it a test knows that the failpoint really fired, and a
process that is started again does not die again. Without these variables nothing happens.
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
    "mail_accepted",
    "webhook_committed",
)


def _read(text: str) -> tuple[str, str, int]:
    """Name, place and number of the pass, of `after_commit@orders.payments:3`; place and number may be left out."""
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
    """Kill this process here and now if this failpoint is armed and its turn has come.

    `place` tells apart what passes the same point: a queue, or what a unit is for.
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
