"""What a customer can do: write a message, ask to cancel, ask for a new link. POST only."""

from babel.numbers import format_decimal
from starlette.responses import Response

from contracts.notifier.page import CancellationRequested
from services.chassis.texts import trimmed
from services.notifier.page import threads
from services.notifier.page.new_links import send_new_link
from services.notifier.page.opening import Standing
from services.notifier.page.owners import OwnerUnavailable
from services.notifier.page.pages import show_cancellation, show_gone, show_order
from services.notifier.page.security import Limit
from services.notifier.page.visit import Typed, Visit, key_of

AN_HOUR = 3600.0
LONGEST_COMMENT = 2000


class Actions:
    """The actions, with the limits that hold in memory."""

    def __init__(self) -> None:
        self._cancellations = Limit(5, AN_HOUR)

    async def post_message(self, visit: Visit) -> Response:
        """Add a message to the order's conversation."""
        if visit.link.standing is not Standing.OPEN:
            return show_gone(visit)
        fields, words = await visit.fields(), visit.words["thread"]
        text, key = trimmed(fields.get("text", "")).replace("\r\n", "\n"), key_of(fields)
        if not text:
            return await show_order(visit, Typed(text, words["empty"]), 422)
        if len(text) > threads.LONGEST:
            too_long = words["long"].format(count=_grouped(len(text), visit))
            return await show_order(visit, Typed(text, too_long), 422)
        if key is None:
            return await show_order(visit, Typed(text, words["expired"]), 422)
        try:
            await threads.post(visit.hub, visit.link, key, text)
        except threads.TooOften:
            return await show_order(visit, Typed(text, words["often"]), 429)
        except threads.FormTaken:
            return await show_order(visit, Typed(text, words["taken"]), 422)
        return visit.redirect("#messages", message=str(key))

    async def ask_to_cancel(self, visit: Visit) -> Response:
        """Send the request to orders, unless the rule is against it already."""
        if visit.link.standing is not Standing.OPEN:
            return show_gone(visit)
        fields = await visit.fields()
        comment, key = trimmed(fields.get("comment", "")).replace("\r\n", "\n"), key_of(fields)
        if len(comment) > LONGEST_COMMENT:
            too_long = visit.words["cancel"]["long"].format(count=_grouped(len(comment), visit))
            return await show_cancellation(visit, Typed(comment, too_long), 422)
        try:
            document = await visit.order()
        except OwnerUnavailable:
            return await show_cancellation(visit, Typed(comment), 503)
        if document is None:
            return show_gone(visit, 410)
        if not document["cancellation"]["allowed"] or key is None:
            return await show_cancellation(visit, Typed(comment), 409)
        if not self._cancellations.admit(str(visit.link.order_id)):
            return await show_cancellation(visit, Typed(comment, visit.words["cancel"]["often"]), 429)
        async with visit.hub.unit() as unit:
            requested = unit.emit(
                CancellationRequested(
                    shop=visit.link.shop,
                    order_id=visit.link.order_id,
                    code=visit.link.code,
                    request_id=key,
                    comment=comment or None,
                    requested_at=unit.now,
                )
            )
        return visit.redirect("#cancellation", request=str(requested.id))

    async def ask_for_link(self, visit: Visit) -> Response:
        """Have a new link mailed. The answer is the same in every case, except for a link that is valid."""
        if visit.link.standing is Standing.OPEN:
            return visit.redirect()
        await send_new_link(visit.hub, visit.link)
        return visit.render("gone.html", 200, is_sent=True)


def _grouped(count: int, visit: Visit) -> str:
    return format_decimal(count, locale=visit.language)
