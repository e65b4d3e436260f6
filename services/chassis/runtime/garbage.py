"""Rare garbage collection. Importing this module makes that of the whole process rare.

Messages are short-lived and without cycles, and what is imported stays: a search for cycles after every 700 objects
costs a tenth of the time of a start, and of the work after it. So a service's `__main__` imports it first.
"""

import gc

gc.set_threshold(100_000, 50, 50)


def freeze_present_objects() -> None:
    """Leave all present objects out of every later search."""
    gc.freeze()
