"""Rendering of an order's conversation: as its own page, as the panel of the order's page, or only its messages."""

from typing import Any

from starlette.responses import Response

from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.conversation import reading, words
from services.orders.backoffice.order.facts import read_facts
from services.orders.backoffice.web.actions.action import Errors
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.security import is_local_path
from services.orders.staff.labels import labels_of


async def show_page(context: PageContext, errors: Errors) -> Response:
    """Show the page of a conversation, with the submitted values and their errors."""
    return await _render(context, "conversation/thread.html", errors)


async def show_panel(context: PageContext) -> Response:
    """Return the conversation for the page of its order."""
    return await _render(context, "conversation/panel.html", {})


async def show_messages(context: PageContext) -> Response:
    """Return only the messages, for a page that already shows the conversation."""
    order = await read_facts(context)
    thread = await reading.read_thread(context, order.id)
    return context.render("conversation/messages.html", **_of_thread(context, order.code, thread))


def thread_path(code: str) -> str:
    """Return the address of a conversation."""
    return f"/orders/{code}/conversation"


def back_of(context: PageContext, code: str) -> str:
    """Return the address of the page that a form of a conversation was on."""
    back = context.form_read["back"]
    return back if back and is_local_path(back) else thread_path(code)


async def _render(context: PageContext, template: str, errors: Errors) -> Response:
    order, is_message = await read_facts(context), context.page.action == "message.post"
    thread = await reading.read_thread(context, order.id)
    head = await reading.read_head(context, order.id)
    async with context.reading() as connection:
        labels = await labels_of.get(connection, context.app_state.hub.owner, context.shop)
    return context.render(
        template,
        422 if errors else 200,
        head=head,
        label=labels.text(head["label"], context.locale.language),
        errors=errors if is_message else {},
        other_errors={} if is_message else errors,
        back=context.form_read["back"] or _back(template, order.code),
        **_of_thread(context, order.code, thread),
        **await _of_writing(context, head),
    )


def _back(template: str, code: str) -> str:
    return f"/orders/{code}#conversation" if template.endswith("panel.html") else thread_path(code)


def _of_thread(context: PageContext, code: str, thread: reading.ThreadRead) -> dict[str, Any]:
    """Return the values of the messages and their heading."""
    return {
        "code": code,
        "thread": thread,
        "conversation_path": thread_path(code),
        "states": words.STATES,
        "ways": words.WAYS,
        "attachment_notes": words.ATTACHMENTS,
        "me": context.actor,
    }


async def _of_writing(context: PageContext, head: reading.Row) -> dict[str, Any]:
    """Return the values of the message box and of the thread's menu."""
    if not context.may(Permission.CONVERSATION_WRITE):
        return {"draft": None, "replies": (), "assignees": (), "typed": "", "longest": 0}
    draft, form = await reading.read_draft(context, head["order_id"]), context.form_read
    values = {"customer_name": head["customer_name"] or "", "code": head["code"]}
    replies = await reading.read_replies(context)
    return {
        "draft": draft,
        "typed": dict(form).get("text", draft.text),
        "replies": [(one.id, one.name, one.text(head["locale"][:2], values)) for one in replies],
        "assignees": await reading.read_assignees(context),
        "longest": words.LONGEST_MESSAGE,
    }
