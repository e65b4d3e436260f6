"""A form about something that has changed since it was shown: refused, with what changed, and the typed text kept.

    form = await visit.form()
    if form.revision != order.revision:
        labels = {"note": N_("Note")}
        return stale(visit, form, revision=order.revision, changes=changes, labels=labels, back=f"/orders/{code}")

The refusal carries the form's fields with the revision as it is now: whoever has read what changed can send them
as they are, or go back to the page. The form's key was not used up, so that it still counts once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from services.orders.backoffice.forms import REVISION, Form
from services.orders.backoffice.visit import Visit


@dataclass(frozen=True)
class Change:
    """Something that happened since: when, who did it, and what, translated."""

    at: datetime
    actor: str
    text: str


def stale(
    visit: Visit,
    form: Form,
    *,
    revision: int,
    changes: Sequence[Change],
    labels: Mapping[str, str],
    back: str,
) -> Response:
    """The page (409). `labels` names the fields whose text is shown, as marked texts; `back` is the thing's page."""
    fields = [(name, value) for name, value in form.typed() if name != REVISION]
    typed = [(labels[name], value) for name, value in fields if name in labels and value.strip()]
    return visit.render(
        "problem/stale.html",
        409,
        changes=changes,
        typed=typed,
        fields=[*fields, (REVISION, str(revision))],
        action=visit.here,
        back=back,
    )
