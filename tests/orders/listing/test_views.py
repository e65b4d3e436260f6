"""Saved views: one's own and everybody's, in their sequence; nobody changes another's."""

from datetime import UTC, datetime

import pytest

from services.orders.listing import views
from services.orders.listing.filters import Filters
from services.orders.listing.words import Tab
from tests.conftest import Desks

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PACK = Filters(tab=Tab.TO_PACK, carrier=["DHL"])


async def test_views_are_kept_sorted_renamed_and_deleted(desks: Desks) -> None:
    desk = await desks("orders")
    async with desk.hub.acquire() as connection:
        first = await views.create_view(connection, "maison", "ann", "  DHL\tparcels ", PACK, NOW)
        second = await views.create_view(connection, "maison", "ann", "All", Filters(), NOW)
        shared = await views.create_view(connection, "maison", None, "Cheques", Filters(q="cheque"), NOW)
        await views.create_view(connection, "maison", "bob", "Bob's", Filters(), NOW)
        await views.create_view(connection, "atelier", "ann", "Elsewhere", Filters(), NOW)
        assert await views.read_views(connection, "maison", "ann") == [shared, first, second]
        assert (first.name, first.filters) == ("DHL parcels", PACK)
        await views.order_views(connection, "maison", "ann", [second.view_id])
        changed = await views.change_view(
            connection, "maison", "ann", first.view_id, name="Ours", filters=Filters()
        )
        assert await views.read_views(connection, "maison", "ann") == [shared, second, changed]
        assert (changed.name, changed.query) == ("Ours", "")
        await views.delete_view(connection, "maison", "ann", second.view_id)
        assert await views.read_views(connection, "maison", "ann") == [shared, changed]


async def test_another_persons_view_is_unknown(desks: Desks) -> None:
    desk = await desks("orders")
    async with desk.hub.acquire() as connection:
        shared = await views.create_view(connection, "maison", None, "Cheques", PACK, NOW)
        for owner, shop in (("bob", "maison"), (None, "atelier")):
            with pytest.raises(views.ViewUnknown, match="load the page again"):
                await views.delete_view(connection, shop, owner, shared.view_id)
            with pytest.raises(views.ViewUnknown):
                await views.change_view(connection, shop, owner, shared.view_id, name="Mine")
        assert await views.read_views(connection, "maison", "bob") == [shared]


async def test_names_and_numbers_of_views_have_bounds(desks: Desks) -> None:
    desk = await desks("orders")
    async with desk.hub.acquire() as connection:
        for name in ("", " \n ", "x" * 61):
            with pytest.raises(views.NameUnfit):
                await views.create_view(connection, "maison", "ann", name, PACK, NOW)
        for number in range(views.MOST_VIEWS):
            await views.create_view(connection, "maison", "ann", f"View {number}", PACK, NOW)
        with pytest.raises(views.TooManyViews):
            await views.create_view(connection, "maison", "ann", "One more", PACK, NOW)
