"""Writing to the customer: a message is posted once, and the typed text is never lost.

The text is stored as a draft before the command is sent, with the key of its form. It is therefore still there
after an error, a reload or the end of the session; it is deleted once the command with that key is done. The
customer sees the shop's name as the author, never that of a staff member.
"""

from datetime import UTC, datetime
from uuid import UUID

from starlette.responses import Response

from contracts.notifier.conversation import PostMessage
from services.chassis.texts import trimmed
from services.orders.api.actions.action import KeyTaken
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.conversation import draft_store, reading
from services.orders.backoffice.conversation.showing import back_of, show_page
from services.orders.backoffice.conversation.waiting import count_again
from services.orders.backoffice.conversation.words import LONGEST_MESSAGE
from services.orders.backoffice.forms.fields import Invalid
from services.orders.backoffice.forms.objections import too_long
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.order.facts import FormFacts, read_facts
from services.orders.backoffice.web.actions.action import (
    Outcome,
    answer,
    command,
    key_of,
    perform,
    was_sent,
)
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()
HERE = "/orders/{order}/conversation"
MOST_STORED = 2 * LONGEST_MESSAGE
"""Maximum characters of a draft; a longer text cannot be sent and is cut."""


@pages.post(HERE, Permission.CONVERSATION_WRITE, action="message.post", again=show_page)
async def post_message(context: PageContext) -> Response:
    """Post a message to the customer, who gets it by mail."""
    order, text = await read_facts(context), trimmed(context.form_read["text"])
    key = key_of(context.form_read)
    if not await was_sent(context):
        await _keep(context, order.id, text, key)
    _require_sendable(text)
    outcome = await _post(context, order, text)
    count_again(context)
    if outcome.state == "done":
        await _drop(context, order.id, key)
    return _answer(context, outcome, back_of(context, order.code))


@pages.post(f"{HERE}/draft", Permission.CONVERSATION_WRITE, action="draft.keep", kept=show_page)
async def keep_draft(context: PageContext) -> Response:
    """Store the unsent text, with a chosen quick reply appended; an empty text deletes the draft."""
    order, form = await read_facts(context), await context.form()
    reply = await _reply(context, order.id) if form["reply"] else ""
    text = "\n\n".join(part for part in (trimmed(form["text"]), reply) if part)
    await _keep(context, order.id, text, None)
    if context.is_part:
        return Response(status_code=204)
    flash = None if reply else gettext("Draft saved. Only you can see it.")
    return context.redirect(back_of(context, order.code), flash)


def _require_sendable(text: str) -> None:
    """Raise Invalid for a text that cannot be sent: empty or too long."""
    if not text:
        raise Invalid(text=gettext("Write the message first."))
    if len(text) > LONGEST_MESSAGE:
        raise Invalid(text=too_long(text, LONGEST_MESSAGE))


async def _post(context: PageContext, order: FormFacts, text: str) -> Outcome:
    """Send the command, once per form. Raises Invalid when the form was sent with another text; this one is kept."""

    def message(command_id: UUID) -> PostMessage:
        return PostMessage(
            shop=context.shop,
            order_id=order.id,
            message_id=command_id,
            text=text,
            author_name=_author(context),
            actor=context.actor,
        )

    try:
        return await perform(context, command(context, order.id, message))
    except KeyTaken:
        await _keep(context, order.id, text, None, is_other=True)
    why = gettext(
        "Another message was already sent with this form. This one was not: send it again if it is new."
    )
    raise Invalid(**{"": why})


def _answer(context: PageContext, outcome: Outcome, to: str) -> Response:
    """Return the conversation with the message posted or pending. Raises Invalid with the reasons of a rejection."""
    if outcome.state != "pending":
        return answer(context, outcome, to=to, flash=gettext("Message sent."))
    context.outcome = outcome.state
    context.audited["command_id"] = str(outcome.command_id)
    return context.redirect(
        to, gettext("The message is on its way; it is sent as soon as the mail service responds."), "note"
    )


def _author(context: PageContext) -> str:
    """Return the author as the customer sees it: the shop."""
    facts = context.shop_facts
    return facts.name if facts else context.shop


async def _reply(context: PageContext, order_id: UUID) -> str:
    """Return the text of the chosen quick reply for an order, "" when it no longer exists."""
    head, wanted = await reading.read_head(context, order_id), context.form_read["reply"]
    values = {"customer_name": head["customer_name"] or "", "code": head["code"]}
    replies = await reading.read_replies(context)
    return next((one.text(head["locale"][:2], values) for one in replies if str(one.id) == wanted), "")


async def _keep(
    context: PageContext, order_id: UUID, text: str, key: str | None, *, is_other: bool = False
) -> None:
    """Store the draft, unless its form was sent; `is_other`: its text differs from the one that was sent."""
    sent = None if key or is_other or context.form_read.key is None else key_of(context.form_read)
    staff_id, now = context.person.staff_id, datetime.now(UTC)
    async with context.app_state.hub.acquire() as connection:
        if text:
            draft = draft_store.NewDraft(context.shop, order_id, staff_id, text[:MOST_STORED], key, now)
            await draft_store.put_draft(connection, draft, unless_sent=sent)
        elif key is None:
            await draft_store.delete_draft(connection, context.shop, order_id, staff_id)


async def _drop(context: PageContext, order_id: UUID, key: str) -> None:
    """Delete the draft whose text this form has sent."""
    async with context.app_state.hub.acquire() as connection:
        await draft_store.delete_draft(connection, context.shop, order_id, context.person.staff_id, key)
