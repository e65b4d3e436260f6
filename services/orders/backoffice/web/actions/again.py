"""Rejected forms, shown again with the submitted values and their errors: one mechanism for every page.

A route declares the function that shows its form (`pages.post(…, again=show)`); an error about the submitted
values, or a rejection by orders or an owning service, is shown by that function (422). An order that changed
meanwhile has a page of its own (`staleness`), and so has a refusal about a subject that no longer exists: no form
of it can be shown.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps

from starlette.responses import Response

from services.orders.backoffice.forms.fields import Invalid
from services.orders.backoffice.language.reasons import by_field, explain_refusal
from services.orders.backoffice.web.page_context import Deleted, Missing, PageContext, View
from services.orders.changes.changing import ChangeRefused
from services.orders.order.history import Stale
from services.orders.order.refusal import Refusal

Errors = Mapping[str, str]
"""Errors, translated, by field; `""`: about the form as a whole."""
Again = Callable[[PageContext, Errors], Awaitable[Response]]
"""A function that shows a form with the submitted values (`context.form_read`) and their errors."""


def shown_again(view: View, again: Again) -> View:
    """Return a view that reads the form first and shows it by `again` when it is rejected."""

    @wraps(view)
    async def answer(context: PageContext) -> Response:
        await context.form()
        try:
            return await view(context)
        except Stale:
            raise
        except (Invalid, Refusal) as error:
            cause = error
        return await _show(context, again, cause)

    return answer


def errors_of(cause: Invalid | Refusal) -> Errors:
    """Return the reasons of a rejection by the form's fields."""
    if isinstance(cause, Invalid):
        return cause.errors
    if isinstance(cause, ChangeRefused):
        return by_field(cause.reasons)
    return {"": explain_refusal(cause)}


async def _show(context: PageContext, again: Again, cause: Invalid | Refusal) -> Response:
    try:
        response = await again(context, errors_of(cause))
    except Deleted:
        raise
    except Missing:
        if isinstance(cause, Refusal):
            raise cause from None
        raise
    if response.status_code == 200 and "hx-redirect" not in response.headers:
        response.status_code = 422
    return response
