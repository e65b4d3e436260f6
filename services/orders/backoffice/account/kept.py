"""Display of a form that was sent after its session had ended, when its page can't show it filled in again.

It names the action, the orders and the labelled values; fields without a label are sent but not shown.
"""

from starlette.responses import Response

from services.orders.backoffice.forms.fields import Form
from services.orders.backoffice.language.translating import N_, gettext
from services.orders.backoffice.order.form_requests import orders_named
from services.orders.backoffice.order.store import codes_of
from services.orders.backoffice.order.words import FIELD_LABELS
from services.orders.backoffice.web.kept_forms import KeptForm
from services.orders.backoffice.web.page_context import PageContext

LABELS = {
    **FIELD_LABELS,
    "notify_customer": N_("Notify the customer"),
    "name": N_("Name"),
    "quantity": N_("Quantity"),
    "other_carrier": N_("Another carrier"),
}
"""Labels of the fields of these forms."""
ACTIONS = {
    "mail.resend_many": N_("Send mails again"),
    "mail.confirm_many": N_("Mark mails as arrived"),
    "order.archive": N_("Archive orders"),
    "order.unarchive": N_("Unarchive orders"),
    "order.tag": N_("Add a tag to orders"),
    "order.untag": N_("Remove a tag from orders"),
    "orders.plan_packing": N_("Pack orders"),
    "orders.plan_shipping": N_("Ship orders"),
    "orders.plan_cancelling": N_("Cancel orders"),
    "orders.start_run": N_("Start a bulk action"),
    "orders.stop_run": N_("Stop a bulk action"),
    "orders.export": N_("Export orders"),
    "orders.print": N_("Print orders"),
    "preferences.orders": N_("Change the display of the list"),
    "view.save": N_("Save this view"),
    "view.delete": N_("Delete a saved view"),
}
"""What these forms do, by the action's name in the audit."""
SHOWN_CODES = 50


async def show_kept(context: PageContext) -> Response:
    """Show the action, the orders and the entered values, and a button that sends them."""
    form = context.form_read
    orders = orders_named(form)
    async with context.reading() as connection:
        codes = await codes_of(connection, context.shop, orders[:SHOWN_CODES])
    return context.render(
        "account/kept.html",
        kept=KeptForm(context.here, form.typed()),
        action=gettext(ACTIONS.get(context.page.action, "")),
        codes=codes,
        orders=len(orders),
        mails=len(form.all("mail")),
        values=_labelled(form),
    )


def _labelled(form: Form) -> list[tuple[str, str]]:
    return [
        (gettext(LABELS[name]), gettext("Yes") if name == "notify_customer" else value)
        for name, value in form.typed()
        if name in LABELS and value.strip()
    ]
