"""The event stream of every open page."""

from collections.abc import AsyncIterator

from starlette.responses import Response, StreamingResponse

from services.orders.backoffice.access.permissions import Entry
from services.orders.backoffice.web.live import TooManyStreams
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()


@pages.get("/live", Entry.SIGNED_IN, is_use=False)
async def listen(context: PageContext) -> Response:
    """Stream ids of the shop's orders as they change. A reconnecting page sends its last event id
    (`?after=`).
    """
    last_id = context.request.headers.get("last-event-id") or context.query.get("after")
    events = context.app_state.live.stream(context.shop, context.person.session_id, (last_id or "")[:60])
    try:
        first = await anext(events)
    except TooManyStreams:
        return Response(status_code=503, headers={"Retry-After": "60"})
    return StreamingResponse(
        _with(first, events), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


async def _with(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for event in rest:
        yield event
