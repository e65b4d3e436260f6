"""Every POST is in the audit: who, when, what, about which order, how it ended."""

from uuid import UUID

from starlette.responses import Response

from services.orders.backoffice.access.permissions import Entry, Role
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Page
from tests.backoffice.browser import Backoffice

ORDER = UUID("01890000-0000-7000-8000-000000000001")


async def test_what_is_done_is_noted_with_its_order(backoffice: Backoffice) -> None:
    async def ship(context: PageContext) -> Response:
        context.about(ORDER, parcels=2)
        return context.redirect("/", "shipped")

    backoffice.add(Page("/ship", "POST", Entry.SIGNED_IN, ship, "parcel.ship"))
    browser = await backoffice.signed_in(Role.FULFILMENT)
    await browser.post("/ship", {"note": "private text"})
    entered, shipped = await backoffice.audit()
    assert (entered["action"], entered["outcome"], entered["shop"]) == ("session.start", "done", "maison")
    assert (shipped["action"], shipped["outcome"], shipped["status"]) == ("parcel.ship", "done", 303)
    assert (shipped["order_id"], shipped["detail"]) == (ORDER, '{"parcels": 2}')
    assert shipped["actor"].startswith("fulfilment-")
    assert shipped["session_id"] == await browser.session_id(backoffice)
    assert not any("private text" in str(value) for value in dict(shipped).values())


async def test_what_breaks_is_noted_and_shown_with_a_reference(backoffice: Backoffice) -> None:
    async def break_down(context: PageContext) -> Response:
        raise LookupError("an order's own secret")

    backoffice.add(Page("/break", "POST", Entry.SIGNED_IN, break_down, "order.break"))
    browser = await backoffice.signed_in()
    answer = await browser.post("/break")
    assert answer.status == 500
    assert "secret" not in answer.text
    assert "Reference:" in answer.words
    assert (await backoffice.audit())[-1]["outcome"] == "failed"


async def test_signing_out_is_noted_and_reading_is_not(backoffice: Backoffice) -> None:
    browser = await backoffice.signed_in()
    await browser.get("/account")
    await browser.post("/sign-out")
    assert [row["action"] for row in await backoffice.audit()] == ["session.start", "session.end"]
