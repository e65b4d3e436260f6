"""PayPal's lists: the events of an app's webhooks, and the transaction search, page by page.

Events are listed newest first, for 30 days, and are only names: their objects are read like those of a webhook. The
search shows transactions up to three hours late, in periods of at most 31 days and of 10,000 transactions, by
the time when they began: a payment that took days to clear is found by the time of its last change. A transaction's
amount is what moved; PayPal's fee is beside it. Source: PayPal's reference of Webhooks Management and Transaction
Search, and its list of T-codes.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from services.payments.providers.listing import ListedEvent, ListedMoney, ListedPayout, MoneyKind
from services.payments.providers.paypal.calling import PaypalClient
from services.payments.providers.paypal.event import UNREADABLE, name_of
from services.payments.providers.paypal.money import PaypalAmountUnusable, amount_of
from services.payments.providers.paypal.needed import NEEDED
from services.payments.providers.paypal.objects import ShapeUnexpected, text, timestamp
from services.payments.providers.port import (
    AnswerUnreadable,
    ObjectMissing,
    ProviderRefused,
    ProviderUnavailable,
    ResultTooLarge,
)
from services.payments.providers.strict_json import read_object

EVENTS = ("v1", "notifications", "webhooks-events")
TRANSACTIONS = ("v1", "reporting", "transactions")
EVENTS_A_PAGE, TRANSACTIONS_A_PAGE = 300, 500
PERIOD = timedelta(days=1)
"""The period of one search, far below 31 days."""
SHORTEST_PERIOD = timedelta(minutes=1)
"""A period that finds more than the 10,000 transactions of a search is halved, down to this."""
LATE = timedelta(hours=3)
"""The age below which a transaction may not be listed yet."""
CLEARING = timedelta(days=10)
"""How long a payment may take to clear: one that began before the time asked for may have changed in it."""
_RECEIVED = frozenset(("S", "V"))
"""Statuses of a payment that was received: successful, and successful and reversed since."""
_PAYMENTS = "T00"
_TAKEN_BACK = frozenset(("T1106", "T1107", "T1201"))
"""A reversal, a refund, a chargeback: in the ledger each is a refund under its own id."""
_GIVEN_BACK = frozenset(("T1202", "T1205"))
"""A chargeback that was reversed, or that PayPal reimburses. No event names it, so staff see it."""


class PaypalLists:
    """The lists of one app."""

    def __init__(self, client: PaypalClient, clock: Callable[[], datetime]) -> None:
        self._client, self._clock = client, clock

    async def events(self, since: datetime, until: datetime) -> AsyncIterator[ListedEvent]:
        """Yield the needed events, oldest first."""
        query = {"start_time": _stamp(since), "end_time": _stamp_after(until)}
        found = [one async for one in self._events({**query, "page_size": str(EVENTS_A_PAGE)})]
        for resource in reversed(found):
            yield _event(resource)

    async def _events(self, query: dict[str, str]) -> AsyncIterator[dict[str, Any]]:
        while query:
            page = await self._page(EVENTS, query)
            for resource in _objects(page, "events"):
                if resource.get("event_type") in NEEDED:
                    yield resource
            further = _next(page)
            if further == query:
                raise ProviderUnavailable("PayPal's list of events names the same page as the next one")
            query = further

    async def money(self, since: datetime, until: datetime) -> AsyncIterator[ListedMoney]:
        """Yield what transactions moved of payments, refunds and reversals, each once: both ends of a period belong
        to it, and PayPal may list an id twice. Raises ProviderUnavailable while PayPal's
        search does not reach to the end of the time.
        """
        end = min(until, self._clock() - LATE)
        start, listed = since - CLEARING, set[tuple[MoneyKind, str]]()
        while start < end:
            stop = min(start + PERIOD, end)
            async for resource in self._within(start, stop):
                found = _readable(resource, since)
                if found is not None and (found.kind, found.object_id) not in listed:
                    listed.add((found.kind, found.object_id))
                    yield found
            start = stop

    async def _within(self, start: datetime, end: datetime) -> AsyncIterator[dict[str, Any]]:
        """Yield the transactions of a period, by halves if they are too many for one search."""
        try:
            async for resource in self._transactions(start, end):
                yield resource
            return
        except ResultTooLarge:
            if end - start <= SHORTEST_PERIOD:
                raise
        middle = start + (end - start) / 2
        for half in ((start, middle), (middle, end)):
            async for resource in self._within(*half):
                yield resource

    async def _transactions(self, start: datetime, end: datetime) -> AsyncIterator[dict[str, Any]]:
        query = {"start_date": _stamp(start), "end_date": _stamp_after(end), "fields": "transaction_info"}
        number, pages = 1, 1
        while number <= pages:
            more = {"page": str(number), "page_size": str(TRANSACTIONS_A_PAGE)}
            page = await self._page(TRANSACTIONS, {**query, **more})
            _check_reach(page, end)
            for resource in _objects(page, "transaction_details"):
                yield resource
            number, pages = number + 1, _pages(page)

    async def _page(self, path: tuple[str, ...], query: Mapping[str, str]) -> dict[str, Any]:
        try:
            return read_object(await self._client.get(*path, query=query))
        except ObjectMissing as missing:
            raise ProviderRefused(f"PayPal has no list {'/'.join(path)} for these credentials") from missing


async def no_payouts() -> AsyncIterator[ListedPayout]:
    """Yield nothing: PayPal keeps a balance, and lists no payouts with what each consists of."""
    nothing: tuple[ListedPayout, ...] = ()
    for payout in nothing:
        yield payout


def _event(resource: dict[str, Any]) -> ListedEvent:
    """Return an event under the name that its webhook is stored by. Raises AnswerUnreadable."""
    body = json.dumps(resource, default=str).encode()
    event_id, event_type = name_of(body)
    if event_type == UNREADABLE:
        raise AnswerUnreadable(f"an event of PayPal's list has no usable id: {str(resource.get('id'))[:60]}")
    try:
        return ListedEvent(event_id, event_type, body, timestamp(resource, "create_time"))
    except ShapeUnexpected as unexpected:
        raise AnswerUnreadable(f"{event_id}: {unexpected}") from unexpected


def _readable(resource: dict[str, Any], since: datetime) -> ListedMoney | None:
    info = resource.get("transaction_info")
    if not isinstance(info, dict):
        raise AnswerUnreadable("a transaction of PayPal's has no transaction_info")
    try:
        return _money(info, since)
    except (ShapeUnexpected, PaypalAmountUnusable) as unusable:
        raise AnswerUnreadable(f"{str(info.get('transaction_id'))[:60]}: {unusable}") from unusable


def _money(info: dict[str, Any], since: datetime) -> ListedMoney | None:
    """Return the movement by the id the ledger has it under, if it is one of a customer's payment since then."""
    kind = _kind(info)
    if kind is None:
        return None
    at = timestamp(info, "transaction_initiation_date")
    if at < since and "transaction_updated_date" in info:
        at = timestamp(info, "transaction_updated_date")
    if at < since:
        return None
    return ListedMoney(kind, text(info, "transaction_id"), *amount_of(info, "transaction_amount"), at)


def _kind(info: dict[str, Any]) -> MoneyKind | None:
    code, is_debit = str(info.get("transaction_event_code")), _is_debit(info)
    if code.startswith(_PAYMENTS) and not is_debit and str(info.get("transaction_status")) in _RECEIVED:
        return MoneyKind.PAYMENT
    if code in _TAKEN_BACK and is_debit:
        return MoneyKind.REFUND
    return MoneyKind.DISPUTE if code in _GIVEN_BACK and not is_debit else None


def _is_debit(info: dict[str, Any]) -> bool:
    amount = info.get("transaction_amount")
    return isinstance(amount, dict) and str(amount.get("value", "")).startswith("-")


def _check_reach(page: dict[str, Any], end: datetime) -> None:
    """Raise ProviderUnavailable if the search was not refreshed up to here: what is missing may still come."""
    if "last_refreshed_datetime" not in page:
        return
    try:
        refreshed = timestamp(page, "last_refreshed_datetime")
    except ShapeUnexpected as unexpected:
        raise AnswerUnreadable(str(unexpected)) from unexpected
    if refreshed < end.replace(microsecond=0):
        text = f"PayPal's transaction search has data until {refreshed:%Y-%m-%d %H:%M}Z, not until {end:%H:%M}Z yet"
        raise ProviderUnavailable(text)


def _objects(page: dict[str, Any], field: str) -> list[dict[str, Any]]:
    """Return a page's objects. Raises AnswerUnreadable: an answer without its list does not prove that there are
    none.
    """
    listed = page.get(field)
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise AnswerUnreadable(f"PayPal's API answered a list without {field}")
    return listed


def _pages(page: dict[str, Any]) -> int:
    number = page.get("total_pages")
    if type(number) is not int:
        raise AnswerUnreadable("PayPal's API answered a list without total_pages")
    return number


def _next(page: dict[str, Any]) -> dict[str, str]:
    """Return the query of the next page; empty on the last one. Only the query is used, never the host."""
    links = page.get("links")
    for one in links if isinstance(links, list) else ():
        if isinstance(one, dict) and one.get("rel") == "next":
            return dict(parse_qsl(urlsplit(str(one.get("href"))).query))
    return {}


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _stamp_after(at: datetime) -> str:
    """Return the first whole second that is not before a time."""
    return _stamp(at + timedelta(microseconds=999_999))
