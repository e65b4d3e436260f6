"""Stale forms: rejected because their object changed in the meantime; the changes are shown, the input is kept.

    context.field_labels = {"note": N_("Note")}
    await do(context, lambda unit: editing.edit(unit, …, revision=form.revision))     # may raise history.Stale

A page need not do more: `history.Stale` becomes this page. A page that detects it calls `stale`.
The rejection carries the form's fields with the current revision: after reading the changes, the user can
send them as they are, or go back to the page. The form's key is still unused, so the form can be carried out once.
"""

from collections.abc import Sequence
from datetime import date

from starlette.responses import Response

from services.orders.backoffice.forms.fields import REVISION, FieldChanged, Form
from services.orders.backoffice.language.activity_texts import Change, as_changes
from services.orders.backoffice.language.formatting import day
from services.orders.backoffice.language.statuses import method_words
from services.orders.backoffice.web.page_context import PageContext
from services.orders.order.history import OpenCommand, Seen, Stale


def stale(
    context: PageContext,
    form: Form,
    *,
    revision: int,
    changes: Sequence[Change],
    back: str,
    theirs: Sequence[FieldChanged] = (),
    mine: Sequence[FieldChanged] | None = None,
    commands: Sequence[OpenCommand] = (),
) -> Response:
    """Return the page (409). `context.field_labels` names the fields whose text is shown; `back` is the
    object's page.

    A form that holds a whole order lists the fields that others changed (`theirs`) and those the user changed
    (`mine`). `commands` have no outcome, and the form did not name them: sent again from here, it does.
    """
    known = Seen.read(form[REVISION]) or Seen(revision)
    seen = Seen(revision, known.commands.union(one.command_id for one in commands))
    fields = [(name, value) for name, value in form.typed() if name != REVISION]
    labels = context.field_labels
    typed = [
        (labels[name], _readable(name, value)) for name, value in fields if name in labels and value.strip()
    ]
    return context.render(
        "problem/stale.html",
        409,
        changes=changes,
        theirs=theirs,
        mine=mine,
        typed=typed if mine is None else [],
        fields=[*fields, (REVISION, str(seen))],
        commands=commands,
        action=context.here,
        back=back,
    )


def _readable(name: str, value: str) -> str:
    """Return a typed or chosen value in readable form: a day in the usual format, a method by its name."""
    if name == "method":
        return method_words().get(value, value)
    try:
        return day(date.fromisoformat(value.strip()))
    except ValueError:
        return value


def changed_meanwhile(context: PageContext, error: Stale) -> Response:
    """Return the page for an order with another revision than the form; back leads to the page above the
    form's.
    """
    context.audited_order = error.order_id
    above = context.request.url.path.rstrip("/").rpartition("/")[0] or "/"
    changes = as_changes(list(error.since))
    return stale(
        context,
        context.form_read,
        revision=error.revision,
        changes=changes,
        back=above,
        commands=error.commands,
    )
