"""Previews of the mail about a status as the customer would get it, while its comment is being typed.

The notifier renders it with the same templates and the same sanitizing as the mail itself. Nothing is sent and
nothing is stored. It is shown as text, escaped like everything else, so a mail's content cannot run anything
here.
"""

from typing import Any

from starlette.responses import Response

from services.chassis.texts import trimmed
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form
from services.orders.backoffice.order.changes.mail_choice import LONGEST_COMMENT, mail_shown
from services.orders.backoffice.order.reading import OrderRead, read_order
from services.orders.backoffice.order.showing import again, render
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()


@pages.post(
    "/orders/{order}/status-preview",
    Permission.ORDERS_STATUS,
    action="order.status.preview",
    kept=again("status"),
)
async def preview_status(context: PageContext) -> Response:
    """Return the mail with the status and the comment that are in the form."""
    form, order = await context.form(), await read_order(context)
    context.about(order.id)
    context.outcome = "previewed"
    mail = await mail_shown(context, order.shown, "status_updated", _context(order, form))
    if context.target == "mail_preview":
        return context.render("order/mail_preview.html", mail=mail)
    return render(context, order, "status", form, mail=mail)


def _context(order: OrderRead, form: Form) -> dict[str, Any]:
    """Return the mail's values: an unknown status is shown as the order's own."""
    shown = order.shown
    label = order.labels.by_key.get(form["label"]) or order.labels.by_key.get(shown.label.key)
    return {
        "state": label.state.value if label else shown.state.value,
        "label_texts": {"fr": label.text("fr"), "en": label.text("en")} if label else {},
        "public_comment": trimmed(form["public_comment"])[:LONGEST_COMMENT] or None,
    }
