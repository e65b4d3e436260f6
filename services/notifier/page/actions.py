"""What a customer can do: write a message, ask to cancel, ask for a new link. POST only."""

from babel.numbers import format_decimal
from starlette.responses import Response

from contracts.notifier.page import CancellationRequested
from services.chassis.texts import trimmed
from services.notifier.page import threads
from services.notifier.page.new_links import send_new_link
from services.notifier.page.opening import LinkState
from services.notifier.page.page_request import PageRequest, Typed, key_of
from services.notifier.page.pages import show_cancellation, show_gone, show_order
from services.notifier.page.security import Limit
from services.notifier.page.service_clients import OwnerUnavailable

AN_HOUR = 3600.0
LONGEST_COMMENT = 2000


class Actions:
    """The actions, with the limits that hold in memory."""

    def __init__(self) -> None:
        self._cancellations = Limit(5, AN_HOUR)

    async def post_message(self, page_request: PageRequest) -> Response:
        """Add a message to the order's conversation."""
        if page_request.link.state is not LinkState.OPEN:
            return show_gone(page_request)
        fields, words = await page_request.fields(), page_request.words["thread"]
        text, key = trimmed(fields.get("text", "")).replace("\r\n", "\n"), key_of(fields)
        if not text:
            return await show_order(page_request, Typed(text, words["empty"]), 422)
        if len(text) > threads.LONGEST:
            too_long = words["long"].format(count=_grouped(len(text), page_request))
            return await show_order(page_request, Typed(text, too_long), 422)
        if key is None:
            return await show_order(page_request, Typed(text, words["expired"]), 422)
        try:
            await threads.post(page_request.hub, page_request.link, key, text)
        except threads.TooOften:
            return await show_order(page_request, Typed(text, words["often"]), 429)
        except threads.FormTaken:
            return await show_order(page_request, Typed(text, words["taken"]), 422)
        return page_request.redirect("#messages", message=str(key))

    async def ask_to_cancel(self, page_request: PageRequest) -> Response:
        """Send the request to orders, unless the rule is against it already."""
        if page_request.link.state is not LinkState.OPEN:
            return show_gone(page_request)
        fields = await page_request.fields()
        comment, key = trimmed(fields.get("comment", "")).replace("\r\n", "\n"), key_of(fields)
        if len(comment) > LONGEST_COMMENT:
            too_long = page_request.words["cancel"]["long"].format(count=_grouped(len(comment), page_request))
            return await show_cancellation(page_request, Typed(comment, too_long), 422)
        try:
            document = await page_request.order()
        except OwnerUnavailable:
            return await show_cancellation(page_request, Typed(comment), 503)
        if document is None:
            return show_gone(page_request, 410)
        if not document["cancellation"]["allowed"] or key is None:
            return await show_cancellation(page_request, Typed(comment), 409)
        if not self._cancellations.admit(str(page_request.link.order_id)):
            return await show_cancellation(
                page_request, Typed(comment, page_request.words["cancel"]["often"]), 429
            )
        async with page_request.hub.unit() as unit:
            requested = unit.emit(
                CancellationRequested(
                    shop=page_request.link.shop,
                    order_id=page_request.link.order_id,
                    code=page_request.link.code,
                    request_id=key,
                    comment=comment or None,
                    requested_at=unit.now,
                )
            )
        return page_request.redirect("#cancellation", request=str(requested.id))

    async def ask_for_link(self, page_request: PageRequest) -> Response:
        """Have a new link mailed. The answer is the same in every case, except for a link that is valid."""
        if page_request.link.state is LinkState.OPEN:
            return page_request.redirect()
        await send_new_link(page_request.hub, page_request.link)
        return page_request.render("gone.html", 200, is_sent=True)


def _grouped(count: int, page_request: PageRequest) -> str:
    return format_decimal(count, locale=page_request.language)
