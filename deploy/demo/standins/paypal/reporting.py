"""PayPal's transaction search: windows of at most 31 days, pages, negative fees, and reports that are hours late."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from deploy.demo.standins.paypal.account import Account, Movement
from deploy.demo.standins.paypal.refusals import Refused
from deploy.demo.standins.paypal.shapes import Json, link, money, timestamp

LONGEST_WINDOW = timedelta(days=31)
MOST_A_PAGE, A_PAGE = 500, 100
MOST_FOUND = 10_000
"""More transactions than these are refused, whatever the page."""


def search(account: Account, query: Mapping[str, str], lag: timedelta, most: int = MOST_FOUND) -> Json:
    """Return one page of the money that moved. Raises Refused, also for more than `most`."""
    start, end = timestamp_of(query, "start_date"), timestamp_of(query, "end_date")
    refreshed = account.clock() - lag
    if end - start > LONGEST_WINDOW:
        raise Refused(400, "Date range is greater than 31 days")
    if start > end:
        raise Refused(400, "Start date should be before end date")
    if start > refreshed:
        raise Refused(400, "Data for the given start date is not available.")
    page, size = number_of(query, "page", 1), number_of(query, "page_size", A_PAGE, MOST_A_PAGE)
    found = [
        each
        for each in account.movements
        if start <= each.began <= end and each.at <= refreshed and _is_wanted(each, query)
    ]
    if len(found) > most:
        raise Refused(400, name="RESULTSET_TOO_LARGE")
    pages = -(-len(found) // size)
    return {
        "transaction_details": [_detail(account, each) for each in found[(page - 1) * size : page * size]],
        "account_number": account.merchant_id,
        "start_date": _numeric_zone(start),
        "end_date": _numeric_zone(end),
        "last_refreshed_datetime": _numeric_zone(refreshed),
        "page": page,
        "total_items": len(found),
        "total_pages": pages,
        "links": _links(account, query, page, pages),
    }


def timestamp_of(query: Mapping[str, str], name: str) -> datetime:
    """Return a time of the query. Raises Refused."""
    if name not in query:
        raise Refused(400, "MISSING_REQUIRED_PARAMETER", name)
    try:
        timestamp = datetime.fromisoformat(query[name])
    except ValueError:
        raise Refused(400, "INVALID_PARAMETER_SYNTAX", name) from None
    if timestamp.tzinfo is None:
        raise Refused(400, "INVALID_PARAMETER_SYNTAX", name)
    return timestamp


def number_of(query: Mapping[str, str], name: str, default: int, most: int = 2**31 - 1) -> int:
    """Return a number of the query from 1 to `most`. Raises Refused."""
    text = query.get(name, str(default))
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise Refused(400, "INVALID_PARAMETER_VALUE", name)
    return int(text)


def _is_wanted(movement: Movement, query: Mapping[str, str]) -> bool:
    return query.get("transaction_id", movement.id) == movement.id


def _detail(account: Account, movement: Movement) -> Json:
    fee = {"fee_amount": money(movement.fee, movement.currency)} if movement.fee else {}
    about = (
        {"paypal_reference_id": movement.about, "paypal_reference_id_type": "TXN"} if movement.about else {}
    )
    names = {"custom_field": movement.custom_id, "invoice_id": movement.invoice_id}
    return {
        "transaction_info": {
            "paypal_account_id": account.merchant_id,
            "transaction_id": movement.id,
            **about,
            "transaction_event_code": movement.code,
            "transaction_initiation_date": _numeric_zone(movement.began),
            "transaction_updated_date": _numeric_zone(movement.at),
            "transaction_amount": money(movement.value, movement.currency),
            **fee,
            "transaction_status": "S",
            "ending_balance": money(_balance(account, movement), movement.currency),
            **{name: value for name, value in names.items() if value},
            "protection_eligibility": "02",
        }
    }


def _balance(account: Account, last: Movement) -> Decimal:
    """Return the account's balance in a currency after a movement."""
    until = account.movements[: account.movements.index(last) + 1]
    return sum((each.value + each.fee for each in until if each.currency == last.currency), Decimal(0))


def _links(account: Account, query: Mapping[str, str], page: int, pages: int) -> list[Json]:
    url = f"{account.api_url}/v1/reporting/transactions"
    targets = {"self": page, "first": 1, "last": pages, "next": page + 1, "prev": page - 1}
    return [
        link(
            f"{url}?" + "&".join(f"{name}={value}" for name, value in {**query, "page": number}.items()), rel
        )
        for rel, number in targets.items()
        if 1 <= number <= pages
    ]


def _numeric_zone(at: datetime) -> str:
    """Return a time as reports have it, with the zone as +0000."""
    return timestamp(at).replace("Z", "+0000")
