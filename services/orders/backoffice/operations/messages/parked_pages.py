"""Parked messages: groups with the same failure, its cause and remedy; retrying or discarding them.

Both are requested from the service that parked them, once per form, and recorded in the audit with the user;
the reason of a discard is in the service's log as well. No action here can touch another shop's messages.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from services.chassis.messaging.unit import Unit
from services.orders.api.owners.clients import ServiceUnavailable
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.operations import parked, words
from services.orders.backoffice.operations.pages import tabs_of_operations
from services.orders.backoffice.operations.parked import PAGE
from services.orders.backoffice.web.actions.action import Errors, do
from services.orders.backoffice.web.back_links import BackLinks
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()
LIST = "/operations/parked"
LONGEST_REASON = 200
_ID = re.compile(r"[0-9]{1,18}")
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")


async def _alike(context: PageContext, errors: Errors) -> Response:
    service, fingerprint = parked.owner_named(context.path("service")), _fingerprint(context)
    back_links = BackLinks.of(context.query, "before")
    if back_links.here and not _ID.fullmatch(back_links.here):
        raise Missing
    messages, down = await parked.read_alike(context, service, fingerprint, back_links.here)
    here = f"{LIST}/{service}/alike/{fingerprint}"
    return context.render(
        "operations/alike.html",
        422 if errors else 200,
        service=service,
        messages=messages[:PAGE],
        has_dead=any(one["state"] == "dead" for one in messages),
        down=down,
        here_path=here,
        next_href=_place(here, back_links.on(str(messages[PAGE - 1]["id"]))) if len(messages) > PAGE else "",
        previous_href=_place(here, back_links.back) if back_links.back is not None else "",
        errors=errors,
        typed=context.form_read,
        words=words,
    )


async def _one(context: PageContext, errors: Errors) -> Response:
    service, parked_id = parked.owner_named(context.path("service")), _parked_id(context)
    found = await parked.read_one(context, service, parked_id)
    is_down = isinstance(found, ServiceUnavailable)
    return context.render(
        "operations/message.html",
        422 if errors else 200,
        service=service,
        message=None if is_down else found,
        down=found if is_down else None,
        here_path=f"{LIST}/{service}/{parked_id}",
        errors=errors,
        typed=context.form_read,
        words=words,
    )


@pages.get(LIST, Permission.OPERATIONS_VIEW)
async def show_parked(context: PageContext) -> Response:
    """Show parked messages in groups, or the discarded ones."""
    return await _list(context)


@pages.get(f"{LIST}/now", Permission.OPERATIONS_VIEW, is_use=False)
async def show_again(context: PageContext) -> Response:
    """Return the same for a page that polls."""
    return await _list(context)


@pages.get(f"{LIST}/{{service}}/alike/{{fingerprint}}", Permission.OPERATIONS_VIEW)
async def show_alike(context: PageContext) -> Response:
    """Show messages with the same failure."""
    return await _alike(context, {})


@pages.get(f"{LIST}/{{service}}/{{parked}}", Permission.OPERATIONS_VIEW)
async def show_one(context: PageContext) -> Response:
    """Show one message: why it was parked, its content, its outcome."""
    return await _one(context, {})


@pages.post(
    f"{LIST}/{{service}}/alike/{{fingerprint}}/redrive",
    Permission.OPERATIONS_REDRIVE,
    action="parked.redrive",
    again=_alike,
)
async def redrive_alike(context: PageContext) -> Response:
    """Retry all messages with the same failure."""
    return await _request_action(context, "redrive", {"fingerprint": _fingerprint(context)})


@pages.post(
    f"{LIST}/{{service}}/alike/{{fingerprint}}/discard",
    Permission.OPERATIONS_REDRIVE,
    action="parked.discard",
    again=_alike,
)
async def discard_alike(context: PageContext) -> Response:
    """Discard all messages with the same failure."""
    return await _request_action(context, "discard", {"fingerprint": _fingerprint(context)})


@pages.post(
    f"{LIST}/{{service}}/{{parked}}/redrive",
    Permission.OPERATIONS_REDRIVE,
    action="parked.redrive",
    again=_one,
)
async def redrive_one(context: PageContext) -> Response:
    """Retry one message."""
    return await _request_action(context, "redrive", {"id": _parked_id(context)})


@pages.post(
    f"{LIST}/{{service}}/{{parked}}/discard",
    Permission.OPERATIONS_REDRIVE,
    action="parked.discard",
    again=_one,
)
async def discard_one(context: PageContext) -> Response:
    """Discard one message."""
    return await _request_action(context, "discard", {"id": _parked_id(context)})


async def _request_action(context: PageContext, action: str, which: Mapping[str, Any]) -> Response:
    """Send the request to the service once per form, and go back to the list."""
    service = parked.owner_named(context.path("service"))
    context.audited.update(service=service, **which)
    body = {**which, "shop": context.shop}
    if action == "discard":
        body["reason"] = _reason(context.form_read)

    async def act(_: Unit) -> None:
        answer = await parked.request(context, service, f"parked/{action}", body)
        context.audited["messages"] = answer.get("redriven", answer.get("discarded", 0))

    await do(context, act)
    if context.audited.get("messages") == 0:
        return context.redirect(LIST, gettext("Nothing to do: somebody else has already done it."), "note")
    return context.redirect(LIST, done_words()[action])


def done_words() -> dict[str, str]:
    """Return the confirmation texts."""
    return {
        "redrive": gettext("Retry started. Messages that fail again are listed here."),
        "discard": gettext("Set aside. It stays readable under “Set aside”."),
    }


def _reason(form: Form) -> str:
    reason = form.text("reason", longest=LONGEST_REASON)
    if reason is None:
        raise Invalid(reason=gettext("Enter a reason for later reference."))
    return reason


async def _list(context: PageContext) -> Response:
    state = context.query.get("state", "")
    if state not in ("", "discarded"):
        raise Missing
    waiting = await parked.read_groups(context)
    found = waiting if not state else await parked.read_discarded(context)
    return context.render(
        "operations/parked.html",
        state=state,
        parked=found,
        tabs_shown=tabs_of_operations(LIST, waiting.dead),
        words=words,
    )


def _place(path: str, cursor: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(cursor)}" if cursor else path


def _parked_id(context: PageContext) -> int:
    text = context.path("parked")
    if not _ID.fullmatch(text):
        raise Missing
    return int(text)


def _fingerprint(context: PageContext) -> str:
    text = context.path("fingerprint")
    if not _FINGERPRINT.fullmatch(text):
        raise Missing
    return text
