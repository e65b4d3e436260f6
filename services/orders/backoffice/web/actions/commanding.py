"""The way from a form to a command and back: sent once per form, awaited for up to two seconds.

    form = await context.form()
    outcome = await send(context, order_id, form, lambda made: RecordPayment(…, actor=context.actor))
    flash = gettext("The payment is recorded.")
    return await answer(context, outcome, form, to=f"/orders/{code}", flash=flash, again=again)

The form's `key`, made when it was shown, is the command's idempotency key: a double click, the back button
and a reload are the same request and get the same answer. A page that shows "in progress" therefore holds the
form's own fields and sends them again to get the outcome; the typed values are stored nowhere else.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from starlette.responses import Response

from contracts.message import Command, Reason
from services.orders.api.actions import store as api_store
from services.orders.api.actions.commanding import WAIT_SECONDS, asking
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.reasons import explain
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.web.visit import Missing, PageContext
from services.orders.order.unit.waiting import waiting

Again = Callable[[Mapping[str, str]], Awaitable[Response]]
"""Shows the form again with what was typed and, by field ("": the form as a whole), what is wrong."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of a command. `state`: done, rejected, pending, or parked: an operator must look."""

    command_id: UUID
    state: str
    reasons: Sequence[Reason] = ()
    body: Mapping[str, Any] = field(default_factory=dict)


def key_of(form: Form) -> str:
    """Return the form's idempotency key, distinct from those of the REST API. Raises Invalid when the form
    has none.
    """
    if form.key is None:
        raise Invalid(**{"": gettext("This form is incomplete. Open the page again.")})
    return f"form:{form.key}"


async def send(
    context: PageContext,
    order_id: UUID | None,
    form: Form,
    message: Callable[[UUID], Command],
    part: str = "",
) -> Outcome:
    """Send the command that `message` makes with an id (also for the object it creates), once per form.

    A form that makes several commands sends each with its own `part`.

    Raises KeyTaken when the form was sent before with other content, Invalid when it has no key.
    """
    if order_id is not None:
        context.about(order_id)
    row = await context.app_state.commands.carry_out(
        asking(context.shop, order_id, key_of(form) + part, message)
    )
    return _outcome(row)


async def wait_for(context: PageContext, command_id: UUID) -> Outcome:
    """Return the outcome of a command that was already sent, after at most two seconds. Raises Missing."""

    async def settled(ids: Any) -> list[UUID]:
        async with context.app_state.hub.acquire() as connection:
            return await api_store.settled_among(connection, ids)

    if not await settled([command_id]):
        await waiting.wait(command_id, WAIT_SECONDS, settled)
    return await outcome_of(context, command_id)


async def outcome_of(context: PageContext, command_id: UUID) -> Outcome:
    """Return the current state of a command of the shop. Raises Missing."""
    async with context.app_state.hub.acquire() as connection:
        row = await api_store.read_command(connection, context.shop, command_id)
    if row is None:
        raise Missing
    return _outcome(row)


async def answer(
    context: PageContext, outcome: Outcome, form: Form, *, to: str, flash: str, again: Again
) -> Response:
    """Return the page for an outcome: redirect to `to` with a message, the form with the reasons (422), or
    progress (202).
    """
    context.audited["command_id"] = str(outcome.command_id)
    context.outcome = outcome.state
    if outcome.state == "done":
        return context.redirect(to, flash)
    if outcome.state == "rejected":
        response = await again(by_field(outcome.reasons))
        response.status_code = 422
        return response
    return in_progress(context, outcome, form, to=to)


def in_progress(context: PageContext, outcome: Outcome, form: Form, *, to: str) -> Response:
    """Return the panel for a command without an outcome, which polls until there is one."""
    return context.render(
        "progress/progress.html", 202, outcome=outcome, fields=form.typed(), action=context.here, to=to
    )


def by_field(reasons: Sequence[Reason]) -> dict[str, str]:
    """Return reasons as a form shows them: those about a field beside it, the others above."""
    found: dict[str, list[str]] = {}
    for reason in reasons:
        found.setdefault(reason.field or "", []).append(explain(reason))
    return {name: " ".join(texts) for name, texts in found.items()}


def _outcome(row: api_store.Row) -> Outcome:
    body = json.loads(row["outcome"] or "{}")
    reasons = [Reason.model_validate(one) for one in body.get("reasons", [])]
    return Outcome(row["command_id"], row["state"], reasons, body)
