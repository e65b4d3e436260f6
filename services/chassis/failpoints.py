"""Named places at which a test may kill the process, so that every crash can be tried on purpose.

`COMPTOIR_FAILPOINT=after_commit:3` kills (SIGKILL) at the third pass; `COMPTOIR_FAILPOINT_MARK` names a file that is
written first, by which a test knows that the failpoint really fired. Without these variables nothing happens.
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

_armed, _, _nth = os.environ.get("COMPTOIR_FAILPOINT", "").partition(":")
_passes_left = int(_nth or 1)
if _armed and _armed not in NAMES:
    raise SystemExit(f"COMPTOIR_FAILPOINT names {_armed!r}; known are {', '.join(NAMES)}")


def reach(name: str) -> None:
    """Kill this process here and now if this failpoint is armed and its turn has come."""
    global _passes_left
    if name != _armed:
        return
    _passes_left -= 1
    if _passes_left > 0:
        return
    mark = os.environ.get("COMPTOIR_FAILPOINT_MARK")
    if mark:
        Path(mark).write_text(name)
    os.kill(os.getpid(), signal.SIGKILL)
