"""One conversation: its page, its panel, its messages as they arrive, its state and its assignee.

Opening one changes nothing: the visible page marks it as read by a separate POST.
"""

from starlette.responses import Response

from contracts.notifier.conversation import AddParticipant, ChangeThread, RemoveParticipant, ThreadChange
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.conversation.reading import read_assignees
from services.orders.backoffice.conversation.showing import back_of, show_messages, show_page, show_panel
from services.orders.backoffice.conversation.waiting import count_again
from services.orders.backoffice.forms.fields import Invalid
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.order.facts import read_facts
from services.orders.backoffice.web.actions.action import carry_out, command
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()
HERE = "/orders/{order}/conversation"
LEAST_ADDRESS, LONGEST_ADDRESS = 3, 254


@pages.get(HERE, Permission.CONVERSATION_READ)
async def show_thread(context: PageContext) -> Response:
    """Show the conversation about an order."""
    return await show_page(context, {})


@pages.get(f"{HERE}/panel", Permission.CONVERSATION_READ)
async def show_in_order(context: PageContext) -> Response:
    """Return the conversation for the page of its order."""
    return await show_panel(context)


@pages.get(f"{HERE}/messages", Permission.CONVERSATION_READ, is_use=False)
async def show_again(context: PageContext) -> Response:
    """Return the messages for a page that polls; it does not count as use of the session."""
    return await show_messages(context)


@pages.post(f"{HERE}/close", Permission.CONVERSATION_WRITE, action="thread.close", again=show_page)
async def close(context: PageContext) -> Response:
    """Close the conversation; the customer's next message opens it again."""
    return await _change(context, ThreadChange.CLOSE, gettext("Conversation closed."))


@pages.post(f"{HERE}/reopen", Permission.CONVERSATION_WRITE, action="thread.reopen", again=show_page)
async def reopen(context: PageContext) -> Response:
    """Open the conversation again."""
    return await _change(context, ThreadChange.REOPEN, gettext("Conversation reopened."))


@pages.post(f"{HERE}/read", Permission.CONVERSATION_WRITE, action="thread.read", again=show_page)
async def mark_as_read(context: PageContext) -> Response:
    """Mark the conversation's messages as read."""
    return await _change(context, ThreadChange.READ, gettext("Messages marked as read."))


@pages.post(f"{HERE}/assign", Permission.CONVERSATION_WRITE, action="thread.assign", again=show_page)
async def assign(context: PageContext) -> Response:
    """Assign the conversation to a staff member, or to nobody."""
    chosen = context.form_read["assignee"]
    if chosen and chosen not in dict(await read_assignees(context)):
        raise Invalid(assignee=gettext("Choose an option from the list."))
    flash = gettext("Conversation assigned.") if chosen else gettext("Conversation unassigned.")
    return await _change(context, ThreadChange.ASSIGN, flash, chosen or None)


@pages.post(f"{HERE}/participants", Permission.CONVERSATION_WRITE, action="participant.add", again=show_page)
async def add_participant(context: PageContext) -> Response:
    """Recognise the address of a message as the customer's, for this conversation."""
    address = _address(context)
    flash = gettext("Mails from %(address)s count as the customer’s from now on.", address=address)
    return await _change_participant(context, AddParticipant, address, flash)


@pages.post(
    f"{HERE}/participants/remove", Permission.CONVERSATION_WRITE, action="participant.remove", again=show_page
)
async def remove_participant(context: PageContext) -> Response:
    """Take back that an address is the customer's; its messages stay as they are shown."""
    address = _address(context)
    flash = gettext("Mails from %(address)s no longer count as the customer’s.", address=address)
    return await _change_participant(context, RemoveParticipant, address, flash)


def _address(context: PageContext) -> str:
    """Return the address of the message whose button was pressed. Raises Invalid."""
    address = context.form_read["address"].strip()
    if not LEAST_ADDRESS <= len(address) <= LONGEST_ADDRESS:
        raise Invalid(**{"": gettext("No message in this conversation came from this address.")})
    return address


async def _change_participant(
    context: PageContext, kind: type[AddParticipant | RemoveParticipant], address: str, flash: str
) -> Response:
    order = await read_facts(context)
    about = {"shop": context.shop, "order_id": order.id, "address": address}
    changing = command(context, order.id, lambda _: kind(**about, actor=context.actor))
    return await carry_out(context, changing, to=back_of(context, order.code), flash=flash)


async def _change(
    context: PageContext, change: ThreadChange, flash: str, assignee: str | None = None
) -> Response:
    order = await read_facts(context)
    about = {"shop": context.shop, "order_id": order.id, "change": change, "assignee": assignee}
    changing = command(context, order.id, lambda _: ChangeThread(**about, actor=context.actor))
    response = await carry_out(context, changing, to=back_of(context, order.code), flash=flash)
    count_again(context)
    return response
