"""Verification of the books: every entry against its chain, every closing against its entries.

`python -m services.payments verify [SHOP]` names the first row that is broken, with what differs, and exits 1.
It reads in one snapshot, changes nothing, and may run beside the service.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from services.chassis.settings import ServiceSettings
from services.payments.accounts import chain
from services.payments.accounts.ledger import Kind, effect_on_balance
from services.payments.closings import store
from services.payments.closings.closing import bounds, heads_of, seal, totals_text

Row = Mapping[str, Any]


class Broken(Exception):
    """A row that contradicts the chain; the message names the row and what differs."""


class ShopUnknown(Exception):
    """Payments has no account of the shop."""


@dataclass
class Verified:
    """What was verified without a fault."""

    accounts: int = 0
    entries: int = 0
    closings: int = 0


def main(settings: ServiceSettings, arguments: Sequence[str]) -> int:
    """Verify the books of the shop given, or of all. Return the exit status."""
    if len(arguments) > 1:
        print("usage: python -m services.payments verify [SHOP]")
        return 2
    try:
        verified = asyncio.run(verify_ledger(settings.database_url.get_secret_value(), *arguments))
    except Broken as broken:
        print(f"BROKEN: {broken}")
        return 1
    except ShopUnknown as unknown:
        print(unknown)
        return 2
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        print(f"could not verify: {error}; check COMPTOIR_DATABASE_URL and that the database is up to date")
        return 2
    print(f"whole: {verified.entries} entries of {verified.accounts} accounts, {verified.closings} closings")
    return 0


async def verify_ledger(url: str, shop: str | None = None) -> Verified:
    """Verify the books in the database at this URL, of a shop or of all. Raises Broken, ShopUnknown."""
    connection = await asyncpg.connect(url, timeout=10, server_settings={"timezone": "UTC"})
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return await verify(connection, shop)
    finally:
        await connection.close()


async def verify(connection: Any, shop: str | None = None) -> Verified:
    """Verify entries, accounts, then closings, of a shop or of all. Within a transaction. Raises Broken,
    ShopUnknown.
    """
    if shop is not None and not await store.is_shop_known(connection, shop):
        raise ShopUnknown(f"payments has no account of shop {shop[:63]}; check the shop's name")
    verified = Verified()
    before: Row | None = None
    async for entry in store.iterate_entries(connection, shop):
        is_first = before is None or _account(before) != _account(entry)
        _check_entry(entry, None if is_first else before)
        verified.accounts += is_first
        verified.entries += 1
        before = entry
    await _check_balances(connection, shop)
    last: Row | None = None
    async for closing in store.iterate_closings(connection, shop):
        await _check_closing(connection, closing, last if last and last["shop"] == closing["shop"] else None)
        verified.closings += 1
        last = closing
    return verified


def _account(entry: Row) -> tuple[Any, Any]:
    return entry["shop"], entry["order_id"]


def _check_entry(entry: Row, before: Row | None) -> None:
    """Raise Broken unless the entry follows the one before it in its account."""
    number = before["number"] + 1 if before else 1
    if entry["number"] != number:
        raise Broken(f"{_name(entry)}: entry {number} before it is missing")
    if entry["hash"] is None:
        raise Broken(
            f"{_name(entry)}: it has no hash yet; run the service until it has chained the entries of earlier "
            "versions, then verify again"
        )
    expected = chain.link(before["hash"] if before else chain.FIRST, entry)
    if entry["hash"] != expected:
        raise Broken(
            f"{_name(entry)}: its content ({_content(entry)}) or its hash was changed: the hash is "
            f"{entry['hash'].hex()}, its content and the entry before it give {expected.hex()}"
        )


def _name(entry: Row) -> str:
    return f"entry {entry['number']} ({entry['id']}) of order {entry['order_id']} in shop {entry['shop']}"


def _content(entry: Row) -> str:
    return (
        f"{entry['kind']} {entry['amount_minor']} {entry['currency']}, {entry['provider']} {entry['object_id']}, "
        f"recorded {entry['recorded_at']:%Y-%m-%d %H:%M:%S}Z by {entry['actor']}"
    )


async def _check_balances(connection: Any, shop: str | None) -> None:
    """Raise Broken unless each account's balance is that of its entries: the last ones may be missing."""
    kinds = {sign: [kind for kind in Kind if effect_on_balance(kind) == sign] for sign in (1, -1)}
    row = await store.find_unequal_account(connection, shop, kinds[1], kinds[-1])
    if row is not None:
        raise Broken(
            f"account of order {row['order_id']} in shop {row['shop']}: its balance is {row['balance_minor']}, "
            f"its entries give {row['found']}"
        )


async def _check_begin(connection: Any, closing: Row, name: str) -> None:
    """Raise Broken if entries were recorded before the day of a shop's first closing."""
    first = await store.first_recording(connection, closing["shop"])
    if first is not None and first < bounds(closing["day"])[0]:
        raise Broken(
            f"{name}: it is the first one, and entries were recorded before it, since {first:%Y-%m-%d}"
        )


async def _check_closing(connection: Any, closing: Row, before: Row | None) -> None:
    """Raise Broken unless the closing follows the one before it and agrees with the entries of its day."""
    name = f"closing {closing['day']} of shop {closing['shop']}"
    if before is not None and (closing["day"] - before["day"]).days != 1:
        raise Broken(f"{name}: a closing between {before['day']} and it is missing")
    if before is None:
        await _check_begin(connection, closing, name)
    expected = seal(before["hash"] if before else chain.FIRST, closing)
    if closing["hash"] != expected:
        raise Broken(
            f"{name}: it or its hash was changed: the hash is {closing['hash'].hex()}, its content and the "
            f"closing before it give {expected.hex()}"
        )
    totals = await store.read_totals(connection, closing["shop"], *bounds(closing["day"]))
    if totals_text(totals) != closing["totals"]:
        raise Broken(
            f"{name}: the entries of that day are not those that were closed: closed {closing['totals']}, "
            f"found {totals_text(totals)}"
        )
    heads, accounts = await heads_of(connection, closing["shop"], closing["day"])
    if (heads, accounts) != (closing["heads"], closing["accounts"]):
        raise Broken(
            f"{name}: the accounts of that day are not those that were closed: closed {closing['accounts']} "
            f"accounts with heads {closing['heads'].hex()}, found {accounts} with {heads.hex()}"
        )
