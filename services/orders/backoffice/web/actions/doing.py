"""Local actions of orders (tags, comments, archive, settings), done once per form in one unit of work.

    await do(context, form, lambda unit: commenting.comment(unit, context.shop, order_id, text, context.actor))
    return context.redirect(f"/orders/{code}", gettext("The comment is added."))

The form's key is stored in the same transaction as the action: a double click, a reload or the back button
finds it and does nothing more, and the page answers as the first time. An action that raises leaves the key
unused, so that a corrected form is carried out.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import TypeVar

from services.chassis.messaging.unit import Unit
from services.orders.backoffice.forms import store as form_store
from services.orders.backoffice.forms.fields import REVISION, Form
from services.orders.backoffice.web.actions.commanding import key_of
from services.orders.backoffice.web.visit import PageContext

T = TypeVar("T")


class FormSentBefore(Exception):
    """The form was carried out before with other content: show what that did, then a new form."""


async def do(context: PageContext, form: Form, act: Callable[[Unit], Awaitable[T]]) -> T | None:
    """Carry `act` out, once per form; return its result, None when it was done before.

    Raises the exceptions of `act`, Invalid when the form has no key, FormSentBefore.
    """
    key, content = key_of(form), _content(form)
    async with context.unit() as unit:
        if await form_store.claim_form(unit.connection, context.shop, key, content, unit.now):
            return await act(unit)
        if await form_store.read_form_hash(unit.connection, context.shop, key) != content:
            raise FormSentBefore
    context.outcome = "repeated"
    return None


def _content(form: Form) -> bytes:
    fields = [field for field in form.typed() if field[0] != REVISION]
    return hashlib.sha256(json.dumps(sorted(fields)).encode()).digest()
