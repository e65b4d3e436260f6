"""Live changes: announced after the commit, heard by every page of that shop, resumed, said goodbye to."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.orders.backoffice.web.live import MOST_PER_SESSION, Live, TooManyStreams
from services.orders.order.unit.announcements import MOST_IDS, Announcements, announcer
from tests.backoffice.browser import Backoffice
from tests.orders.rest_client import place, sale

DEADLINE_SECONDS = 20.0


@asynccontextmanager
async def _listening(backoffice: Backoffice) -> AsyncIterator[Live]:
    """The back office's own workers: one that hears, one that tells."""
    hub, live = backoffice.desk.hub, backoffice.app_state.live
    tasks = [asyncio.create_task(worker.loop(hub)) for worker in (live.worker(), announcer())]
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not live.is_listening:
            await asyncio.sleep(0.01)
    try:
        yield live
    finally:
        hub.stopping.set()
        await asyncio.wait_for(asyncio.gather(*tasks), DEADLINE_SECONDS)


class _Page:
    """An open page: what its stream says."""

    def __init__(self, live: Live, shop: str = "maison", last_id: str | None = None) -> None:
        self._events = live.stream(shop, uuid4(), last_id)
        self.last_id = ""

    async def next(self) -> tuple[str, Any]:
        """The next event's name and data."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            async for event in self._events:
                fields = dict(line.split(": ", 1) for line in event.decode().splitlines() if ": " in line)
                self.last_id = fields.get("id", self.last_id)
                if "event" in fields:
                    return fields["event"], json.loads(fields["data"])
        return "end", None

    async def close(self) -> None:
        with contextlib.suppress(RuntimeError):
            await self._events.aclose()  # type: ignore[attr-defined]


async def test_an_order_placed_shows_on_the_pages_of_its_shop_alone(backoffice: Backoffice) -> None:
    async with _listening(backoffice) as live:
        mine, other = _Page(live), _Page(live, "atelier")
        assert (await mine.next())[0] == (await other.next())[0] == "hello"
        placed = await place(backoffice.desk, sale(shop="maison"))
        assert await mine.next() == ("orders", {"orders": [str(placed.order_id)]})
        elsewhere = await place(backoffice.desk, sale(shop="atelier"))
        assert await other.next() == ("orders", {"orders": [str(elsewhere.order_id)]}), (
            "nothing of maison before"
        )


async def test_a_page_that_comes_back_gets_what_it_missed(backoffice: Backoffice) -> None:
    async with _listening(backoffice) as live:
        page = _Page(live)
        await page.next()
        seen = page.last_id
        await page.close()
        watch = _Page(live)
        await watch.next()
        placed = await place(backoffice.desk, sale(shop="maison"))
        await watch.next()
        back = _Page(live, last_id=seen)
        assert await back.next() == ("orders", {"orders": [str(placed.order_id)]})
        stranger = _Page(live, last_id="0000-12")
        assert (await stranger.next())[0] == "again", "an id of another process: look at everything"


async def test_a_page_gets_what_changed_between_its_rendering_and_its_first_stream(
    backoffice: Backoffice,
) -> None:
    person = await backoffice.signed_in()
    async with _listening(backoffice) as live:
        rendered = (await person.get("/orders")).text
        [after] = re.findall(r'data-live-after="([^"]+)"', rendered)
        assert after == live.latest_id()
        watch = _Page(live)
        await watch.next()
        placed = await place(backoffice.desk, sale(shop="maison"))
        await watch.next()
        assert await _Page(live, last_id=after).next() == ("orders", {"orders": [str(placed.order_id)]})


async def test_after_a_time_without_listening_every_page_looks_at_everything(backoffice: Backoffice) -> None:
    async with _listening(backoffice) as live:
        page = _Page(live)
        await page.next()
        seen = page.last_id
        await page.close()
        live._all_again()
        assert (await _Page(live, last_id=seen).next())[0] == "again"


async def test_a_page_that_is_too_slow_looks_at_everything_again(backoffice: Backoffice) -> None:
    async with _listening(backoffice) as live:
        page = _Page(live)
        await page.next()
        for _ in range(200):
            live._publish("maison", (str(uuid4()),))
        named = [(await page.next())[0] for _ in range(1)]
        assert named == ["again"]


async def test_a_stop_closes_the_session_immediately(backoffice: Backoffice) -> None:
    async with _listening(backoffice) as live:
        page = _Page(live)
        await page.next()
        backoffice.desk.hub.stopping.set()
        name, data = await page.next()
        assert name == "goodbye"
        assert 0 < data["after"] < 5000


async def test_a_session_holds_only_so_many_streams(backoffice: Backoffice) -> None:
    live, session_id = backoffice.app_state.live, uuid4()
    streams = [live.stream("maison", session_id, None) for _ in range(MOST_PER_SESSION)]
    for stream in streams:
        await anext(stream)
    with pytest.raises(TooManyStreams):
        await anext(live.stream("maison", session_id, None))
    await anext(live.stream("maison", uuid4(), None))


def test_too_many_ids_are_reported_as_many_within_what_a_notification_holds() -> None:
    announcements = Announcements()
    announcements.note([("maison", UUID(int=number)) for number in range(MOST_IDS)])
    (whole,) = announcements.take()
    assert len(json.loads(whole)["maison"]) == MOST_IDS
    assert len(whole.encode()) < 8000
    announcements.note([("maison", UUID(int=number)) for number in range(MOST_IDS * 3)])
    announcements.note([("atelier", UUID(int=1))])
    maison, atelier = (json.loads(payload) for payload in announcements.take())
    assert isinstance(maison["maison"], int)
    assert atelier == {"atelier": [str(UUID(int=1))]}
    assert announcements.take() == []


async def test_a_stream_without_a_session_ends_without_a_sign_in_page(backoffice: Backoffice) -> None:
    answer = await backoffice.browser().get("/live", accept="text/event-stream")
    assert (answer.status, answer.text) == (204, "")
