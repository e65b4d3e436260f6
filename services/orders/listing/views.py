"""Saved views: named lists of orders. A view is the query string of the list, nothing else.

Invariant: a view belongs to one person or, without an owner, to everybody; its query was valid when it was
saved. The caller decides who may change everybody's views.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.envelope import uuid7
from services.chassis.storage.database import Connection
from services.orders.listing.filters import Filters

LONGEST_NAME = 60
MOST_VIEWS = 50
"""The largest number of views of one person, and of the shared views of a shop."""


@dataclass(frozen=True, slots=True)
class View:
    """A saved view. `owner` is a member of staff, None when it is everybody's."""

    view_id: UUID
    owner: str | None
    name: str
    query: str

    @property
    def filters(self) -> Filters:
        """Return the view's filters. Raises ValidationError when a word it used no longer exists."""
        return Filters.from_url(self.query)


class ViewUnknown(Exception):
    """The view does not exist, or belongs to another person."""

    def __init__(self, view_id: UUID) -> None:
        super().__init__(f"view {view_id} is gone or somebody else's; load the page again")
        self.view_id = view_id


class NameUnfit(Exception):
    """The view's name is empty or too long."""

    def __init__(self, name: str) -> None:
        super().__init__(f"a view's name has 1 to {LONGEST_NAME} characters, {len(name)} were given")


class TooManyViews(Exception):
    """The owner already has the largest number of views."""

    def __init__(self) -> None:
        super().__init__(f"there are {MOST_VIEWS} views already; delete one first")


async def read_views(connection: Connection, shop: str, owner: str) -> list[View]:
    """Return everybody's views and this person's own, each in its order."""
    rows = await connection.fetch(
        """select view_id, owner, name, query from saved_view where shop = $1 and (owner is null or owner = $2)
           order by owner nulls first, position, view_id""",
        shop,
        owner,
    )
    return [_view(row) for row in rows]


async def create_view(
    connection: Connection, shop: str, owner: str | None, name: str, filters: Filters, now: datetime
) -> View:
    """Save a list under a name, behind the others. Raises NameUnfit, TooManyViews."""
    view = View(uuid7(), owner, _fit(name), filters.url())
    added = await connection.fetchval(
        """insert into saved_view (view_id, shop, owner, name, query, position, created_at)
           select $1, $2, $3, $4, $5, coalesce(max(position) + 1, 1), $6 from saved_view
           where shop = $2 and owner is not distinct from $3 having count(*) < $7 returning true""",
        view.view_id,
        shop,
        owner,
        view.name,
        view.query,
        now,
        MOST_VIEWS,
    )
    if not added:
        raise TooManyViews
    return view


async def change_view(
    connection: Connection,
    shop: str,
    owner: str | None,
    view_id: UUID,
    *,
    name: str | None = None,
    filters: Filters | None = None,
) -> View:
    """Change a view's name or filters. Raises ViewUnknown, NameUnfit."""
    row = await connection.fetchrow(
        """update saved_view set name = coalesce($4, name), query = coalesce($5, query)
           where view_id = $1 and shop = $2 and owner is not distinct from $3
           returning view_id, owner, name, query""",
        view_id,
        shop,
        owner,
        None if name is None else _fit(name),
        None if filters is None else filters.url(),
    )
    if row is None:
        raise ViewUnknown(view_id)
    return _view(row)


async def order_views(connection: Connection, shop: str, owner: str | None, view_ids: Sequence[UUID]) -> None:
    """Put a user's views, or everybody's, into this order; those not named come last, in their old order."""
    await connection.execute(
        """update saved_view v set position = n.position
           from (select view_id, row_number() over
                     (order by array_position($3::uuid[], view_id), position, view_id) as position
                 from saved_view where shop = $1 and owner is not distinct from $2) n
           where v.view_id = n.view_id""",
        shop,
        owner,
        list(view_ids),
    )


async def delete_view(connection: Connection, shop: str, owner: str | None, view_id: UUID) -> None:
    """Delete a view. Raises ViewUnknown."""
    gone = await connection.fetchval(
        """delete from saved_view where view_id = $1 and shop = $2 and owner is not distinct from $3
           returning true""",
        view_id,
        shop,
        owner,
    )
    if not gone:
        raise ViewUnknown(view_id)


def _fit(name: str) -> str:
    fitted = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())
    if not 1 <= len(fitted) <= LONGEST_NAME:
        raise NameUnfit(fitted)
    return fitted


def _view(row: Mapping[str, Any]) -> View:
    return View(row["view_id"], row["owner"], row["name"], row["query"])
