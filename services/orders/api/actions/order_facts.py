"""The facts a request needs about the order it names, read with one query for all concurrent requests."""

from collections.abc import Sequence
from uuid import UUID

from services.chassis.background.group_commit import GroupCommit
from services.chassis.messaging.process import Transactions
from services.orders.api.actions import store as api_store
from services.orders.api.actions.store import Row

Key = tuple[str, UUID]


class FactsReader:
    """Reader of orders' rows of `api_store.read_facts`, by shop and id."""

    def __init__(self, process: Transactions) -> None:
        self._process = process
        self._together: GroupCommit[Key, Row | None] = GroupCommit(self._read)

    async def find(self, shop: str, order_id: UUID | None, code: str | None) -> Row | None:
        """Return the shop's order with this id, else with this code; None when there is none."""
        if order_id is None and code is not None:
            async with self._process.acquire() as connection:
                order_id = await api_store.find_by_code(connection, shop, code)
        return await self._together.submit((shop, order_id)) if order_id else None

    async def _read(self, keys: Sequence[Key]) -> list[Row | None]:
        async with self._process.acquire() as connection:
            rows = await api_store.read_facts(connection, sorted(set(keys)))
        found = {(row["shop"], row["order_id"]): row for row in rows}
        return [found.get(key) for key in keys]
