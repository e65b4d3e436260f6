"""Time that passes at once: timers of a service are looked up in its database, and come due there."""

from typing import Any

import asyncpg

from tests.journeys.shop import Shop


async def let_time_pass(shop: Shop, service: str, name: str, value: str) -> None:
    """Have a service's timers that name this (`order_id`, `provider_reference`) come due, once there is one."""

    async def moved() -> bool | None:
        sql = "UPDATE msg.timer SET due_at = now() WHERE payload->>$1 = $2 RETURNING key"
        return await _fetch(shop, service, sql, name, value) != [] or None

    await shop.until(f"timer of {service} with {name} {value}", moved)


async def until_timer(shop: Shop, service: str, kind: str, order_id: str, *, is_set: bool) -> None:
    """Wait until a timer of this kind waits for an order, or none does any more."""

    async def reads_so() -> bool | None:
        return await has_timer(shop, service, kind, order_id) is is_set or None

    await shop.until(f"{kind} of {order_id} that {'waits' if is_set else 'is gone'}", reads_so)


async def has_timer(shop: Shop, service: str, kind: str, order_id: str) -> bool:
    """Whether a timer of this kind waits for an order."""
    sql = "SELECT key FROM msg.timer WHERE kind = $1 AND payload->>'order_id' = $2"
    return await _fetch(shop, service, sql, kind, order_id) != []


async def _fetch(shop: Shop, service: str, sql: str, *values: str) -> list[Any]:
    connection = await asyncpg.connect(shop.system.databases[service])
    try:
        rows: list[Any] = await connection.fetch(sql, *values)
        return rows
    finally:
        await connection.close()
