"""Many orders packed, shipped or cancelled at once: told first, started by a person, carried out whatever happens.

A run is planned from what is known (`planning.py`, `shipping.py`), kept (`runs.py`, `store.py`) and, once started, sent
item by item by a worker (`carrying_out.py`). Every item has an idempotency key of its own, so a process that was killed
in the middle, or two at once, go on where it stands and do nothing twice.
"""
