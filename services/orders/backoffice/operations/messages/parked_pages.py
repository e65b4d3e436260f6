"""Parked messages: what failed alike, why and what helps; giving it back to its service or setting it aside for good.

Both are asked of the service that parked them, once per form, and noted in the audit with who asked; the reason of
setting aside stands in the service's log as well. Nothing here can touch another shop's messages.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from services.chassis.messaging.unit import Unit
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.operations import parked, words
from services.orders.backoffice.operations.pages import tabs_of_operations
from services.orders.backoffice.operations.parked import PAGE, OwnerAway
from services.orders.backoffice.web.actions.doing import do
from services.orders.backoffice.web.clients.owners import Owner, OwnerDown
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.trail import Trail
from services.orders.backoffice.web.visit import Missing, Visit

pages = Pages()
LIST = "/operations/parked"
LONGEST_REASON = 200
_ID = re.compile(r"[0-9]{1,18}")
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")


@pages.get(LIST, Permission.OPERATIONS_VIEW)
async def show_parked(visit: Visit) -> Response:
    """Everything parked by what it has in common, or what was set aside."""
    return await _list(visit)


@pages.get(f"{LIST}/now", Permission.OPERATIONS_VIEW, is_use=False)
async def show_again(visit: Visit) -> Response:
    """The same for a page that asks by itself."""
    return await _list(visit)


@pages.get(f"{LIST}/{{service}}/alike/{{fingerprint}}", Permission.OPERATIONS_VIEW)
async def show_alike(visit: Visit) -> Response:
    """Messages that failed alike."""
    return await _alike(visit, parked.owner_named(visit.path("service")), _fingerprint(visit), {}, Form())


@pages.get(f"{LIST}/{{service}}/{{parked}}", Permission.OPERATIONS_VIEW)
async def show_one(visit: Visit) -> Response:
    """One message: why, what it holds, what became of it."""
    return await _one(visit, parked.owner_named(visit.path("service")), _parked_id(visit), {}, Form())


@pages.post(
    f"{LIST}/{{service}}/alike/{{fingerprint}}/redrive",
    Permission.OPERATIONS_REDRIVE,
    action="parked.redrive",
)
async def redrive_alike(visit: Visit) -> Response:
    """Give back all that failed alike."""
    return await _deal(visit, "redrive", {"fingerprint": _fingerprint(visit)})


@pages.post(
    f"{LIST}/{{service}}/alike/{{fingerprint}}/discard",
    Permission.OPERATIONS_REDRIVE,
    action="parked.discard",
)
async def discard_alike(visit: Visit) -> Response:
    """Set aside all that failed alike."""
    return await _deal(visit, "discard", {"fingerprint": _fingerprint(visit)})


@pages.post(f"{LIST}/{{service}}/{{parked}}/redrive", Permission.OPERATIONS_REDRIVE, action="parked.redrive")
async def redrive_one(visit: Visit) -> Response:
    """Give one back."""
    return await _deal(visit, "redrive", {"id": _parked_id(visit)})


@pages.post(f"{LIST}/{{service}}/{{parked}}/discard", Permission.OPERATIONS_REDRIVE, action="parked.discard")
async def discard_one(visit: Visit) -> Response:
    """Set one aside."""
    return await _deal(visit, "discard", {"id": _parked_id(visit)})


async def _deal(visit: Visit, deed: str, which: Mapping[str, Any]) -> Response:
    """Ask the service once per form; back to the list, or to the form with what was typed and why not."""
    form, service = await visit.form(), parked.owner_named(visit.path("service"))
    visit.audited.update(service=service, **which)
    body = {**which, "shop": visit.shop}
    try:
        if deed == "discard":
            body["reason"] = _reason(form)

        async def act(_: Unit) -> None:
            said = await parked.ask(visit, service, f"parked/{deed}", body)
            visit.audited["messages"] = said.get("redriven", said.get("discarded", 0))

        await do(visit, form, act)
    except Invalid as invalid:
        return await _again(visit, service, which, invalid.errors, form)
    except OwnerAway:
        why = gettext("The service does not answer. Look in a moment whether it was done, and try again.")
        return await _again(visit, service, which, {"": why}, form)
    if visit.audited.get("messages") == 0:
        return visit.redirect(LIST, gettext("Nothing was left to do: somebody was here before you."), "note")
    return visit.redirect(LIST, done_words()[deed])


def done_words() -> dict[str, str]:
    """What is said when it is done."""
    return {
        "redrive": gettext("Given back to the service. What fails again comes back here."),
        "discard": gettext("Set aside. It stays readable under « Set aside »."),
    }


async def _again(
    visit: Visit, service: Owner, which: Mapping[str, Any], errors: Mapping[str, str], form: Form
) -> Response:
    if "id" in which:
        return await _one(visit, service, which["id"], errors, form)
    return await _alike(visit, service, which["fingerprint"], errors, form)


def _reason(form: Form) -> str:
    reason = form.text("reason", longest=LONGEST_REASON)
    if reason is None:
        raise Invalid(reason=gettext("Give a reason, for those who look for it later."))
    return reason


async def _list(visit: Visit) -> Response:
    state = visit.query.get("state", "")
    if state not in ("", "discarded"):
        raise Missing
    waiting = await parked.read_groups(visit)
    found = waiting if not state else await parked.read_discarded(visit)
    return visit.render(
        "operations/parked.html",
        state=state,
        parked=found,
        tabs_shown=tabs_of_operations(LIST, waiting.dead),
        words=words,
    )


async def _alike(
    visit: Visit, service: Owner, fingerprint: str, errors: Mapping[str, str], form: Form
) -> Response:
    trail = Trail.of(visit.query, "before")
    if trail.here and not _ID.fullmatch(trail.here):
        raise Missing
    messages, down = await parked.read_alike(visit, service, fingerprint, trail.here)
    here = f"{LIST}/{service}/alike/{fingerprint}"
    return visit.render(
        "operations/alike.html",
        422 if errors else 200,
        service=service,
        messages=messages[:PAGE],
        has_dead=any(one["state"] == "dead" for one in messages),
        down=down,
        here_path=here,
        next_href=_place(here, trail.on(str(messages[PAGE - 1]["id"]))) if len(messages) > PAGE else "",
        previous_href=_place(here, trail.back) if trail.back is not None else "",
        errors=errors,
        typed=form,
        words=words,
    )


def _place(path: str, place: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(place)}" if place else path


async def _one(
    visit: Visit, service: Owner, parked_id: int, errors: Mapping[str, str], form: Form
) -> Response:
    found = await parked.read_one(visit, service, parked_id)
    is_down = isinstance(found, OwnerDown)
    return visit.render(
        "operations/message.html",
        422 if errors else 200,
        service=service,
        message=None if is_down else found,
        down=found if is_down else None,
        here_path=f"{LIST}/{service}/{parked_id}",
        errors=errors,
        typed=form,
        words=words,
    )


def _parked_id(visit: Visit) -> int:
    text = visit.path("parked")
    if not _ID.fullmatch(text):
        raise Missing
    return int(text)


def _fingerprint(visit: Visit) -> str:
    text = visit.path("fingerprint")
    if not _FINGERPRINT.fullmatch(text):
        raise Missing
    return text
