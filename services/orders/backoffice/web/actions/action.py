"""Handling of a submitted form, one mechanism for every page: carried out once, awaited, answered.

    @pages.post("/orders/{order}/payment", Permission.PAYMENTS_RECORD, action="payment.record", again=show_again)
    async def record_payment(context: PageContext) -> Response:
        payment = command(context, order.id, lambda _: RecordPayment(…, actor=context.actor))
        return await carry_out(context, payment, to=f"/orders/{code}", flash=gettext("Payment recorded."))

The form's `key`, made when it was shown, is the idempotency key: a double click, the back button and a reload
are the same request and get the same answer. A page that shows "in progress" therefore holds the form's own
fields and sends them again to get the outcome; the submitted values are stored nowhere else.

A rejection is raised. The route's `again`, a function that shows the form, then shows it once more with the
submitted values and their errors (422). An order that changed meanwhile has a page of its own (`staleness`), and so
has a refusal about a subject that no longer exists: no form of it can be shown.
"""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar
from uuid import UUID

from starlette.responses import Response

from contracts.message import Command, Reason
from services.chassis.messaging.unit import Unit
from services.orders.api.actions import action as actions
from services.orders.api.actions import store as api_store
from services.orders.api.actions.action import Action
from services.orders.backoffice.forms.fields import REVISION, Form, Invalid
from services.orders.backoffice.language.reasons import by_field, explain_refusal
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.web.page_context import Deleted, Missing, PageContext, View
from services.orders.changes.changing import ChangeRefused
from services.orders.order.history import Seen, Stale
from services.orders.order.refusal import Refusal

T = TypeVar("T")
Act = Callable[[Unit], Awaitable[Any]]
"""A local action of orders for a form, in one unit of work."""
Errors = Mapping[str, str]
"""Errors, translated, by field; `""`: about the form as a whole."""
Again = Callable[[PageContext, Errors], Awaitable[Response]]
"""A function that shows a form with the submitted values (`context.form_read`) and their errors."""
_BY_SEVERITY = ("done", "rejected", "pending", "parked")


@dataclass(frozen=True)
class Outcome:
    """The outcome of an action. `state`: done, rejected, pending, or parked: an operator must look."""

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


def command(
    context: PageContext, order_id: UUID | None, message: Callable[[UUID], Command], part: str = ""
) -> Action:
    """Return the form's command, which `message` makes with an id (also for the object it creates).

    A form that makes several commands makes each with its own `part`. Raises Invalid when it has no key.
    """
    return actions.command(context.shop, order_id, key_of(context.form_read) + part, message)


async def carry_out(
    context: PageContext,
    work: Act | Action | Sequence[Action],
    *,
    to: str,
    flash: str | Callable[[Outcome], str],
) -> Response:
    """Carry out what a form requests, once, and redirect to `to` with a message, or show the progress (202).

    A form that shows an order's state sends its commands only while the order still is in that state.

    Raises Invalid with the reasons of a rejection, KeyTaken when the form was sent before with other content,
    Stale, and what an act raises.
    """
    if callable(work):
        assert isinstance(flash, str), "an action of orders itself has no outcome"
        await do(context, work)
        return context.redirect(to, flash)
    wanted = [work] if isinstance(work, Action) else work
    outcome = await perform(context, *wanted, seen=seen_by(context.form_read, wanted))
    return answer(context, outcome, to=to, flash=flash)


async def do(context: PageContext, act: Callable[[Unit], Awaitable[T]]) -> T | None:
    """Carry out what orders itself does for a form, once; return its result, None when it was done before.

    Raises what `act` raises, which leaves the key unused; Invalid when the form has no key; KeyTaken.
    """
    form = await context.form()
    done = await context.app_state.actions.do(context.shop, key_of(form), content_hash(form), act)
    if done.is_repeat:
        context.outcome = "repeated"
    return done.result


async def perform(context: PageContext, *wanted: Action, seen: Seen | None = None) -> Outcome:
    """Carry actions out, each once, and return their outcome after at most two seconds: of several the worst.

    With `seen`, they are commands about one order, sent only if it still is as the form shows it.

    Raises KeyTaken, Stale, and refusals of changes of orders.
    """
    for action in wanted:
        if action.order_id is not None:
            context.about(action.order_id)
    actions = context.app_state.actions
    if seen is not None:
        rows = await actions.carry_out_as_seen(wanted, seen)
    else:
        rows = await asyncio.gather(*map(actions.carry_out, wanted))
    return max(map(_outcome, rows), key=lambda one: _BY_SEVERITY.index(one.state))


def seen_by(form: Form, wanted: Sequence[Action]) -> Seen | None:
    """Return the state of the order that a form of commands shows; None for other forms. What orders itself does
    checks the revision in its own transaction.
    """
    is_of_commands = all(one.message is not None and one.order_id is not None for one in wanted)
    return Seen.read(form[REVISION]) if is_of_commands else None


async def wait_for(context: PageContext, command_id: UUID) -> Outcome:
    """Return the outcome of a command that was sent before, after at most two seconds. Raises Missing."""
    return _found(await context.app_state.actions.wait(context.shop, command_id))


async def outcome_of(context: PageContext, command_id: UUID) -> Outcome:
    """Return the current outcome of a command of the shop. Raises Missing."""
    return _found(await context.app_state.actions.find(context.shop, command_id))


async def was_sent(context: PageContext) -> bool:
    """Return whether this form has become a command: a repeat then gets the same answer, even if the data has
    changed.
    """
    form = context.form_read
    if form.key is None:
        return False
    async with context.reading() as connection:
        return await api_store.was_sent(connection, context.shop, key_of(form))


def answer(
    context: PageContext, outcome: Outcome, *, to: str, flash: str | Callable[[Outcome], str]
) -> Response:
    """Return the page for an outcome. Raises Invalid with the reasons of a rejection."""
    context.audited["command_id"] = str(outcome.command_id)
    context.outcome = outcome.state
    if outcome.state == "done":
        return context.redirect(to, flash if isinstance(flash, str) else flash(outcome))
    if outcome.state == "rejected":
        raise Invalid(**by_field(outcome.reasons))
    return context.render(
        "progress/progress.html",
        202,
        outcome=outcome,
        fields=context.form_read.typed(),
        action=context.here,
        to=to,
    )


def content_hash(form: Form) -> bytes:
    """Return the hash of all fields of a form except its revision."""
    fields = [field for field in form.typed() if field[0] != REVISION]
    return hashlib.sha256(json.dumps(sorted(fields)).encode()).digest()


def _found(row: api_store.Row | None) -> Outcome:
    if row is None:
        raise Missing
    return _outcome(row)


def _outcome(row: api_store.Row) -> Outcome:
    body = json.loads(row["outcome"] or "{}")
    reasons = [Reason.model_validate(one) for one in body.get("reasons", [])]
    return Outcome(row["command_id"], row["state"], reasons, body)


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
