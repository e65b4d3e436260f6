"""Webhooks of the payment providers, the outcome of each, and manual decisions on those that wait for one.

Payments owns all of it: it is read there, and reprocessing or setting aside with a reason is requested from
it, once per form. Only the shop's own webhooks are shown, never their content.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.responses import Response

from services.chassis.messaging.unit import Unit
from services.orders.api.actions import unmatched_store
from services.orders.api.owners.clients import ServiceUnavailable
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.times import timestamps_read
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.operations.parked import request, unanswered
from services.orders.backoffice.payments.pages import tabs_of_payments
from services.orders.backoffice.payments.webhook_words import reason_words, state_words
from services.orders.backoffice.payments.words import provider_word
from services.orders.backoffice.web.actions.action import Errors, do
from services.orders.backoffice.web.back_links import BackLinks
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()
LIST = "/payments/webhooks"
PAGE = 50
LONGEST_REASON = 200
EMPTIED_BYTES = 2
"""The body that remains after payments has deleted the content: `{}`."""
ENDS = ("unread", "applied", "duplicate", "irrelevant", "waiting", "parked")


@pages.get(LIST, Permission.PAYMENTS_VIEW)
async def show_webhooks(context: PageContext) -> Response:
    """Show webhooks with one outcome, the newest first; the number per outcome; the required events never received."""
    state = context.query.get("state", "parked")
    back_links = BackLinks.of(context.query, "before")
    if back_links.here and not _is_id(back_links.here):
        raise Missing
    errors: Mapping[str, str] = {}
    try:
        end = Form([("state", state)]).choice("state", (*ENDS, "all")) or "all"
    except Invalid as invalid:
        end, errors = "all", invalid.errors
    query = {"limit": str(PAGE + 1), **({} if end == "all" else {"state": end})}
    answer = await _read(context, **query, **({"before": back_links.here} if back_links.here else {}))
    down = answer if isinstance(answer, ServiceUnavailable) else None
    body: Mapping[str, Any] = {} if isinstance(answer, ServiceUnavailable) else answer
    found = [] if errors else [_webhook(row) for row in body.get("webhooks", [])]
    last = str(found[PAGE - 1]["id"]) if len(found) > PAGE else None
    return context.render(
        "payments/webhooks.html",
        down=down,
        state=state,
        errors=errors,
        webhooks=found[:PAGE],
        tally=body.get("tally", []),
        refused=_refused(body.get("refused", [])),
        endpoints=[_endpoint(one) for one in body.get("endpoints", [])],
        ends=state_words(),
        reasons=reason_words(),
        provider_word=provider_word,
        next_href=_place(state, back_links.on(last)) if last else "",
        previous_href=_place(state, back_links.back) if back_links.back is not None else "",
        tabs_shown=tabs_of_payments(LIST),
    )


async def _show(context: PageContext, errors: Errors) -> Response:
    found = await _one(context, _named(context))
    is_down = isinstance(found, ServiceUnavailable)
    return context.render(
        "payments/webhook.html",
        422 if errors else 200,
        down=found if is_down else None,
        webhook=None if is_down else found,
        ends=state_words(),
        reasons=reason_words(),
        provider_word=provider_word,
        errors=errors,
        typed=context.form_read,
        here_path=f"{LIST}/{_named(context)}",
    )


@pages.get(f"{LIST}/{{webhook}}", Permission.PAYMENTS_VIEW)
async def show_webhook(context: PageContext) -> Response:
    """Show one webhook: its subject, its outcome and the reason."""
    return await _show(context, {})


@pages.post(
    f"{LIST}/{{webhook}}/redrive", Permission.PAYMENTS_REASSIGN, action="webhook.redrive", again=_show
)
async def reprocess(context: PageContext) -> Response:
    """Request that the webhook is processed again."""
    return await _request_action(context, "redrive")


@pages.post(
    f"{LIST}/{{webhook}}/set_aside", Permission.PAYMENTS_REASSIGN, action="webhook.set_aside", again=_show
)
async def set_aside(context: PageContext) -> Response:
    """Set the webhook aside with a reason; with money, all webhooks of its payment."""
    return await _request_action(context, "set_aside")


async def _request_action(context: PageContext, action: str) -> Response:
    webhook_id = _named(context)
    context.audited.update(webhook=webhook_id)
    reason = reason_of(context.form_read) if action == "set_aside" else ""
    webhook = await _one(context, webhook_id)
    if isinstance(webhook, ServiceUnavailable):
        raise unanswered()
    payment = (webhook["provider"], webhook["object_id"]) if webhook["object_id"] else None

    async def act(unit: Unit) -> None:
        body = {"shop": context.shop, **({"reason": reason} if reason else {})}
        answer = await request(context, "payments", f"webhooks/{webhook_id}/{action}", body)
        context.audited["webhooks"] = answer.get("webhooks", 0)
        if payment and action == "redrive":
            await unmatched_store.take_back(unit.connection, context.shop, payment)
        elif payment and webhook["amount_minor"] and context.audited["webhooks"]:
            who = (context.actor, reason, unit.now)
            await unmatched_store.set_aside(unit.connection, context.shop, payment, *who)

    await do(context, act)
    if context.audited.get("webhooks") == 0:
        return context.redirect(LIST, gettext("Nothing to do: somebody else has already done it."), "note")
    done = gettext("Reprocessing started. Webhooks that still need action are listed here.")
    return context.redirect(LIST, gettext("Webhook set aside.") if action == "set_aside" else done)


def reason_of(form: Form) -> str:
    """Return the reason for setting aside. Raises Invalid."""
    reason = form.text("reason", longest=LONGEST_REASON)
    if reason is None:
        raise Invalid(reason=gettext("Enter a reason for later reference."))
    return reason


async def _one(context: PageContext, webhook_id: str) -> dict[str, Any] | ServiceUnavailable:
    answer = await _read(context, id=webhook_id, limit="1")
    if isinstance(answer, ServiceUnavailable):
        return answer
    if not answer["webhooks"]:
        raise Missing
    return _webhook(answer["webhooks"][0])


async def _read(context: PageContext, **query: str) -> Mapping[str, Any] | ServiceUnavailable:
    answer = await context.app_state.clients.get("payments", "/internal/webhooks", shop=context.shop, **query)
    if isinstance(answer, ServiceUnavailable):
        return answer
    if answer.status != 200:
        raise Missing
    body: Mapping[str, Any] = answer.body
    return body


def _webhook(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the view model of a webhook. `by_hand`: a user set it aside; `can_return`: it can be processed again."""
    by_hand = row["state"] == "irrelevant" and row["reason"] == "set_aside"
    is_elsewhere = (
        row["state"] == "irrelevant" and row["reason"] == "names_other_shop" and row["amount_minor"]
    )
    has_content = row["body_bytes"] > EMPTIED_BYTES
    can_return = row["state"] == "parked" or (has_content and bool(by_hand or is_elsewhere))
    return {**timestamps_read(row, "received_at", "handled_at"), "by_hand": by_hand, "can_return": can_return}


def _endpoint(one: Mapping[str, Any]) -> dict[str, Any]:
    return {**one, "needed": [timestamps_read(each, "last_at") for each in one["needed"]]}


def _refused(rows: list[Mapping[str, Any]]) -> int:
    """Return the number of recent posts that were rejected, at the shop's own addresses."""
    return sum(int(row["posts"]) for row in rows)


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _named(context: PageContext) -> str:
    webhook_id = context.path("webhook")
    if not _is_id(webhook_id):
        raise Missing
    return webhook_id


def _place(state: str, cursor: Mapping[str, str]) -> str:
    return f"{LIST}?{urlencode({'state': state, **cursor})}"
