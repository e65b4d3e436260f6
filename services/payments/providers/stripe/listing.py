"""Stripe's lists: events, balance transactions and payouts, page by page.

Source: Stripe's API reference (list all events, balance transactions, payouts). Lists are newest first; events are
requested by the hour, so that they are applied oldest first without holding more than an hour of them.
"""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

from services.payments.providers.listing import ListedEvent, ListedMoney, ListedPayout, MoneyKind
from services.payments.providers.port import AnswerUnreadable
from services.payments.providers.stripe.calling import StripeClient
from services.payments.providers.stripe.event import ShapeUnexpected, payment_of, text, timestamp
from services.payments.providers.stripe.money import StripeAmountUnusable, currency_of, to_minor
from services.payments.providers.stripe.needed import NEEDED

HOUR = timedelta(hours=1)
_PAYMENTS = frozenset(("charge", "payment"))
_REFUNDS = frozenset(("refund", "payment_refund"))
_PAID_OUT = frozenset(("paid", "in_transit"))


class StripeLists:
    """The lists that one API key may read, of the account itself or of a connected one."""

    def __init__(self, client: StripeClient, key: str, account: str | None) -> None:
        self._client = client
        self._key = key
        self._account = account

    async def events(self, since: datetime, until: datetime) -> AsyncIterator[ListedEvent]:
        """Yield the needed events, oldest first."""
        start = since
        while start < until:
            end = min(start + HOUR, until)
            query = {**_created(start, end), "types[]": list(NEEDED)}
            hour = [one async for one in self._list("/v1/events", query)]
            for resource in reversed(hour):
                yield _readable(_event, resource)
            start = end

    async def money(self, since: datetime, until: datetime) -> AsyncIterator[ListedMoney]:
        """Yield what balance transactions moved of payments, refunds and disputes."""
        query = {**_created(since, until), "expand[]": "data.source"}
        async for resource in self._list("/v1/balance_transactions", query):
            if (found := _readable(_money, resource)) is not None:
                yield found

    async def payouts(self, since: datetime, until: datetime) -> AsyncIterator[ListedPayout]:
        """Yield the payouts; of an automatic one with the sum of its balance transactions."""
        async for resource in self._list("/v1/payouts", _created(since, until)):
            total, movements = None, 0
            if resource.get("automatic") is not False and resource.get("status") in _PAID_OUT:
                total, movements = await self._sum_of(str(resource.get("id")))
            yield _readable(lambda one, s=total, n=movements: _payout(one, s, n), resource)

    async def _sum_of(self, payout: str) -> tuple[int, int]:
        """Return the net sum of a payout's transactions, in Stripe's unit, and their number."""
        total, movements = 0, 0
        async for resource in self._list("/v1/balance_transactions", {"payout": payout}):
            if resource.get("type") != "payout":
                total += int(resource.get("net") or 0)
                movements += 1
        return total, movements

    def _list(self, path: str, query: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
        return self._client.list_all(path, self._key, query, self._account)


def _created(since: datetime, until: datetime) -> dict[str, str]:
    return {"created[gte]": str(int(since.timestamp())), "created[lt]": str(int(until.timestamp()))}


def _readable(reader: Any, resource: dict[str, Any]) -> Any:
    try:
        return reader(resource)
    except (ShapeUnexpected, StripeAmountUnusable) as unusable:
        raise AnswerUnreadable(f"{str(resource.get('id'))[:60]}: {unusable}") from unusable


def _event(resource: dict[str, Any]) -> ListedEvent:
    body = json.dumps(resource).encode()
    return ListedEvent(text(resource, "id"), text(resource, "type"), body, timestamp(resource, "created"))


def _money(resource: dict[str, Any]) -> ListedMoney | None:
    """Return the movement by the id the ledger has it under: the intent, the refund, a dispute's transaction."""
    source = resource.get("source")
    if not isinstance(source, dict):
        return None
    kind, at = resource.get("type"), timestamp(resource, "created")
    if kind in _PAYMENTS and source.get("object") == "charge":
        field = "amount_captured" if "amount_captured" in source else "amount"
        return ListedMoney(MoneyKind.PAYMENT, payment_of(source), *_amount(source, field), at)
    if kind in _REFUNDS:
        return ListedMoney(MoneyKind.REFUND, text(source, "id"), *_amount(source, "amount"), at)
    if source.get("object") == "dispute" and resource.get("amount"):
        amount = to_minor(abs(int(resource["amount"])), currency := currency_of(resource.get("currency")))
        return ListedMoney(MoneyKind.DISPUTE, text(resource, "id"), amount, currency, at)
    return None


def _amount(resource: dict[str, Any], field: str) -> tuple[int, str]:
    currency = currency_of(resource.get("currency"))
    return to_minor(resource.get(field), currency), currency


def _payout(resource: dict[str, Any], total: int | None, movements: int) -> ListedPayout:
    currency = currency_of(resource.get("currency"))
    return ListedPayout(
        object_id=text(resource, "id"),
        state=text(resource, "status"),
        amount_minor=to_minor(abs(int(resource.get("amount") or 0)), currency),
        currency=currency,
        created_at=timestamp(resource, "created"),
        arrives_on=timestamp(resource, "arrival_date").astimezone(UTC).date(),
        sum_minor=None if total is None else to_minor(max(total, 0), currency),
        movements=movements,
    )
