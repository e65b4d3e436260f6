"""The orders list: which orders a query means, newest first, one page at a time.

A page is one statement whatever the filters: no count, no offset. Pages are told apart by (placed_at, order_id),
so a reader that follows the cursors sees every order that was there when it began and fits the filters exactly
once, whatever is placed meanwhile.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.orders import OrderState
from contracts.storefront import Module, PaymentMethod
from services.orders.cursor import Place
from services.orders.fulfilment_status import FulfilmentStatus
from services.orders.labels import Labels
from services.orders.order import STATUS_FILTERS
from services.orders.payment_status import FILTER_OF, PaymentFilter, PaymentStatus

LARGEST_PAGE = 200


class StatusWord(StrEnum):
    """The four words of the filter «Statut»."""

    NEW = "new"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    CANCELLED = "cancelled"


class PaymentWord(StrEnum):
    """The words of the filter «Statut de paiement»; `none` is «Sans objet»."""

    UNPAID = "unpaid"
    PAID = "paid"
    REFUNDED = "refunded"
    ABANDONED = "abandoned"
    IN_PROGRESS = "in_progress"
    NONE = "none"


Day = Annotated[date, Field(ge=date(1970, 1, 1), le=date(9000, 12, 31))]


class ListQuery(BaseModel):
    """Which orders to list. A filter given several times means any of its values; all filters must hold."""

    model_config = ConfigDict(extra="forbid")

    state: list[OrderState] = Field(default=[], description="State of the order.")
    payment_status: list[PaymentStatus] = Field(default=[], description="Exact payment status.")
    payment: list[PaymentWord] = Field(default=[], description="Filter «Statut de paiement».")
    status: list[StatusWord] = Field(default=[], description="Filter «Statut».")
    module: list[Module] = Field(default=[], description="Storefront module the sale comes from.")
    payment_method: list[PaymentMethod] = Field(default=[], description="Method the customer chose.")
    fulfilment: list[FulfilmentStatus] = Field(default=[], description="Fulfilment status.")
    from_: Day | None = Field(
        default=None, alias="from", description="First day placed, inclusive, in the shop's time zone."
    )
    to: Day | None = Field(default=None, description="Last day placed, inclusive, in the shop's time zone.")
    limit: int = Field(default=50, ge=1, le=LARGEST_PAGE, description="Most orders on the page.")
    after: str | None = Field(default=None, max_length=100, description="`next` of the page before.")

    @model_validator(mode="after")
    def period_is_not_backwards(self) -> Self:
        if self.from_ and self.to and self.from_ > self.to:
            raise ValueError(f"the period begins on {self.from_} and ends before, on {self.to}; swap the two")
        return self


STATUS_OF: dict[str, str] = {state.value: word for word, states in STATUS_FILTERS.items() for state in states}
"""The word of «Statut» by state; a draft has none."""
PAYMENT_OF: dict[str, str] = {
    status.value: "none" if choice is PaymentFilter.NOT_APPLICABLE else choice.value
    for status, choice in FILTER_OF.items()
}
"""The word of «Statut de paiement» by payment status."""

COLUMNS = """order_id, code, module, source_reference, placed_at, customer_name, customer_email,
    payment_method, currency, total_minor, balance_minor, state, label, payment_status, fulfilment_status,
    flags, units_to_pack, units_to_ship, archived_at, changed_at"""


def statement(shop: str, query: ListQuery, zone: ZoneInfo) -> tuple[str, list[Any]]:
    """The one SELECT of a page and its arguments; it asks for one order more than the page holds.

    Only fragments written here become SQL; whatever the caller sent is an argument. Raises CursorUnreadable.
    """
    arguments: list[Any] = [shop]
    conditions = ["shop = $1"]
    for column, values in _values(query):
        arguments.append(values[0] if len(values) == 1 else values)
        place = f"${len(arguments)}"
        conditions.append(f"{column} = {place}" if len(values) == 1 else f"{column} = any({place}::text[])")
    for comparison, moment in _period(query, zone):
        arguments.append(moment)
        conditions.append(f"placed_at {comparison} ${len(arguments)}")
    if query.after is not None:
        place_after = Place.read(query.after)
        arguments += [place_after.placed_at, place_after.order_id]
        conditions.append(f"(placed_at, order_id) < (${len(arguments) - 1}, ${len(arguments)})")
    arguments.append(query.limit + 1)
    sql = f"""select {COLUMNS} from orders where {" and ".join(conditions)}
    order by placed_at desc, order_id desc limit ${len(arguments)}"""  # noqa: S608 - fragments of this module only
    return sql, arguments


def page(rows: Sequence[Mapping[str, Any]], limit: int, labels: Labels) -> dict[str, Any]:
    """The page: its orders, and under `next` where the following one begins, if there is one."""
    shown = rows[:limit]
    last = shown[-1] if len(rows) > limit else None
    return {
        "orders": [_summary(row, labels) for row in shown],
        "next": str(Place(last["placed_at"], last["order_id"])) if last else None,
    }


def _values(query: ListQuery) -> Iterator[tuple[str, list[str]]]:
    states = [state for word in query.status for state in STATUS_FILTERS[word]]
    statuses = [status for status, word in PAYMENT_OF.items() if word in query.payment]
    for column, named, by_word in (
        ("state", query.state, states if query.status else None),
        ("payment_status", query.payment_status, statuses if query.payment else None),
        ("fulfilment_status", query.fulfilment, None),
        ("module", query.module, None),
        ("payment_method", query.payment_method, None),
    ):
        if named or by_word is not None:
            chosen = set(named or by_word or ()) & set(by_word if by_word is not None else named)
            yield column, sorted(map(str, chosen))


def _period(query: ListQuery, zone: ZoneInfo) -> Iterator[tuple[str, datetime]]:
    if query.from_ is not None:
        yield ">=", _midnight(query.from_, zone)
    if query.to is not None:
        yield "<", _midnight(query.to + timedelta(days=1), zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _summary(row: Mapping[str, Any], labels: Labels) -> dict[str, Any]:
    return {
        **row,
        "order_id": str(row["order_id"]),
        "placed_at": utc_text(row["placed_at"]),
        "archived_at": utc_text(row["archived_at"]) if row["archived_at"] else None,
        "changed_at": utc_text(row["changed_at"]),
        "label": label(row["label"], labels),
        "status": STATUS_OF.get(row["state"]),
        "payment": PAYMENT_OF[row["payment_status"]],
    }


def label(key: str, labels: Labels) -> dict[str, str]:
    """A label with its texts."""
    return {"key": key, **labels.texts(key)}


def utc_text(moment: datetime) -> str:
    """RFC 3339 in UTC, ending in Z."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
