"""The worker that chains the entries of earlier versions, which have no hash: some accounts at a time.

Each step is a transaction that holds the accounts' locks, so that no entry is added between reading the last
hash and storing the next one. A process killed in between has changed nothing, and the next one goes on.
"""

from services.chassis.messaging.process import Process
from services.chassis.storage.database import transaction
from services.payments.accounts import chain
from services.payments.closings import closing, store

WORKER = "chaining"
IDLE_SECONDS = 60.0
ACCOUNTS = 200


async def chain_entries(process: Process) -> bool:
    """Chain the entries of some accounts. Return whether there may be more."""
    async with process.acquire() as connection, transaction(connection):
        accounts = await store.lock_unchained(connection, ACCOUNTS)
        rows: list[store.HashRow] = []
        account, head = None, chain.FIRST
        for entry in await store.read_entries(connection, accounts):
            key = (entry["shop"], entry["order_id"])
            head = chain.FIRST if key != account else head
            account = key
            is_missing = entry["hash"] is None
            head = chain.link(head, entry) if is_missing else entry["hash"]
            if is_missing:
                rows.append(store.HashRow(*key, entry["number"], head))
        await store.fill_in_hashes(connection, rows)
    if accounts:
        process.nudge(closing.WORKER)
    return bool(accounts)
