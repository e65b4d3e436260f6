"""Previews of the mail that informs a customer of an action on the order page, rendered by notifier.

Nothing is sent and nothing is stored; the mail's content is shown as text.
"""

from collections.abc import Mapping
from typing import Any

from services.orders.api.owners.clients import Answer, ServiceUnavailable
from services.orders.backoffice.forms.fields import Form
from services.orders.backoffice.web.page_context import PageContext
from services.orders.listing.documents import OrderResponse

LONGEST_COMMENT = 2000


async def mail_shown(
    context: PageContext, order: OrderResponse, template: str, values: Mapping[str, Any]
) -> Answer | ServiceUnavailable:
    """Return the mail of this template with these values."""
    fields = {
        "shop": context.shop,
        "template": template,
        "locale": order.locale,
        "code": order.code,
        "name": order.customer.name or "",
        "context": dict(values),
    }
    return await context.app_state.clients.post("notifier", "/internal/mails/preview", fields)


def notification_request(form: Form) -> dict[str, Any]:
    """Return whether the customer is informed, and the text for them. Raises Invalid."""
    return {
        "notify_customer": form.ticked("notify_customer"),
        "public_comment": form.text("public_comment", LONGEST_COMMENT),
    }
