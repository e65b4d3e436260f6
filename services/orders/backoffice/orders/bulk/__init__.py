"""Bulk runs: many orders packed, shipped or cancelled at once; previewed, started by a user, completed.

A run is planned from current data (`planning.py`, `shipping.py`), stored (`runs.py`, `store.py`) and, once
started, sent item by item by a worker (`carrying_out.py`). Every item has its own idempotency key, so a
process that was killed in the middle, or two running simultaneously, continue from the current state and do
nothing twice.
"""
