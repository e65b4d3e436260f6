"""Payment providers: the endpoints that receive webhooks and send refunds, for owners only.

Payments owns them and stores their secrets encrypted. Submitted secrets are sent there by HTTP and nowhere else
(services/chassis/decisions/0009): they are not in a form that is shown again, in the audit, or in any answer.
"""

import secrets
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from contracts.message import Reason
from services.chassis.messaging.unit import Unit
from services.orders.api.owners.clients import ServiceUnavailable
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.reasons import explain
from services.orders.backoffice.language.times import timestamps_read
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.settings.provider_words import (
    KEPT,
    MODES,
    PROVIDERS,
    entered_endpoint,
    entered_secrets,
    entered_texts,
    is_live,
    outcome_words,
    reasons_by_field,
)
from services.orders.backoffice.web.actions.action import Errors, carry_out
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()
HERE = "/settings/providers"
DEMAND = Permission.PROVIDERS_MANAGE
TEST_SECONDS = 30.0
"""Seconds to wait for a test; longer than payments waits for a provider."""


async def _read(context: PageContext) -> Mapping[str, Any] | ServiceUnavailable:
    """Return the shop's endpoints, whether any can be stored, and the events that each provider must send."""
    answer = await context.app_state.clients.get("payments", "/internal/endpoints", shop=context.shop)
    if isinstance(answer, ServiceUnavailable):
        return answer
    if answer.status != 200:
        raise Missing
    body: Mapping[str, Any] = answer.body
    return {**body, "endpoints": [_endpoint(one) for one in body["endpoints"]]}


def _endpoint(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return the view model of an endpoint. `fault`: why it is not active."""
    stored = [timestamps_read(each, "set_at", "expires_at") for each in one["secrets"]]
    return {
        **one,
        "secrets": stored,
        "newest": {each["name"]: each for each in reversed(stored) if each["expires_at"] is None},
        "fault": explain(Reason.model_validate(one["fault"])) if one["fault"] else "",
    }


async def _list(context: PageContext, errors: Errors) -> Response:
    answer = await _read(context)
    is_down = isinstance(answer, ServiceUnavailable)
    return context.render(
        "settings/providers.html",
        down=answer if is_down else None,
        answer={} if is_down else answer,
        providers=PROVIDERS,
        errors=errors,
    )


@pages.get(HERE, DEMAND)
async def show_providers(context: PageContext) -> Response:
    """Show all endpoints of the shop."""
    return await _list(context, {})


async def _new(context: PageContext, errors: Errors) -> Response:
    provider, form = _provider(context), context.form_read if errors else Form()
    answer = await _read(context)
    is_down = isinstance(answer, ServiceUnavailable)
    fresh = {"slug": secrets.token_hex(10), "mode": "test"}
    return context.render(
        "settings/provider_new.html",
        422 if errors else 200,
        provider=provider,
        words=PROVIDERS[provider],
        can_store=is_down or answer["can_store"],  # type: ignore[index]
        down=answer if is_down else None,
        needed=[] if is_down else _needed(answer, provider),  # type: ignore[arg-type]
        typed=form if errors else fresh,
        errors=errors,
    )


@pages.get(HERE + "/add/{provider}", DEMAND)
async def show_new(context: PageContext) -> Response:
    """Show the form for an endpoint of one provider."""
    return await _new(context, {})


@pages.post(HERE + "/add/{provider}", DEMAND, action="provider.add", again=_new)
async def add_endpoint(context: PageContext) -> Response:
    """Add an endpoint."""
    provider, form = _provider(context), context.form_read
    texts, typed = entered_texts(form, provider), entered_secrets(form, provider)
    slug = form["slug"].strip()
    body = {"provider": provider, "slug": slug, "livemode": is_live(form), "texts": texts, "secrets": typed}
    _audit(context, slug, provider, [*(name for name, text in texts.items() if text), *typed])

    async def act(_: Unit) -> None:
        await _ask(context, "", body)

    done = gettext("Endpoint added. Now test it.")
    return await carry_out(context, act, to=f"{HERE}/{slug}", flash=done)


async def _one(context: PageContext, errors: Errors, tested: Mapping[str, Any] | None = None) -> Response:
    answer = await _read(context)
    if isinstance(answer, ServiceUnavailable):
        endpoint, down = entered_endpoint(context), answer
    else:
        endpoint, down = _found(answer, context.path("slug")), None
    form = context.form_read if errors and "mode" in context.form_read else None
    shown = {"mode": MODES[endpoint["livemode"]], "kept_hours": KEPT[0][0], **endpoint["texts"]}
    return context.render(
        "settings/provider.html",
        422 if errors else 200,
        one=endpoint,
        down=down,
        words=PROVIDERS.get(endpoint["provider"]),
        can_store=down is not None or answer["can_store"],  # type: ignore[index]
        needed=[] if down else _needed(answer, endpoint["provider"]),  # type: ignore[arg-type]
        kept=[(hours, gettext(text)) for hours, text in KEPT],
        typed=form or shown,
        tested=tested,
        outcome=outcome_words(endpoint["provider"], tested) if tested else None,
        errors=errors,
    )


@pages.get(HERE + "/{slug}", DEMAND)
async def show_endpoint(context: PageContext) -> Response:
    """Show one endpoint."""
    return await _one(context, {})


@pages.post(HERE + "/{slug}/change", DEMAND, action="provider.change", again=_one)
async def change_endpoint(context: PageContext) -> Response:
    """Change an endpoint; secrets left empty are kept."""
    form, slug = context.form_read, context.path("slug")
    provider = _known(form["provider"])
    texts, typed = entered_texts(form, provider), entered_secrets(form, provider)
    if form.revision is None:
        raise Invalid(**{"": gettext("This form is incomplete. Open the page again.")})
    body = {
        "livemode": is_live(form),
        "texts": texts,
        "secrets": typed,
        "kept_hours": int(form.choice("kept_hours", [hours for hours, _ in KEPT]) or KEPT[0][0]),
        "revision": form.revision,
    }
    before = _found_now(await _read(context), slug)
    changed = [name for name, text in texts.items() if text != before["texts"].get(name, "")]
    modes = ["mode"] if before["livemode"] != body["livemode"] else []
    _audit(context, slug, provider, [*modes, *changed, *typed])

    async def act(_: Unit) -> None:
        await _ask(context, f"/{slug}/change", body)

    return await carry_out(context, act, to=f"{HERE}/{slug}", flash=gettext("Endpoint changed."))


@pages.post(HERE + "/{slug}/remove", DEMAND, action="provider.remove", again=_one)
async def remove_endpoint(context: PageContext) -> Response:
    """Remove an endpoint with its secrets."""
    slug = context.path("slug")
    context.audited["endpoint"] = slug

    async def act(_: Unit) -> None:
        await _ask(context, f"/{slug}/remove", {})

    return await carry_out(context, act, to=HERE, flash=gettext("Endpoint removed."))


@pages.post(HERE + "/{slug}/secrets/{secret}/remove", DEMAND, action="provider.remove_secret", again=_one)
async def remove_secret(context: PageContext) -> Response:
    """Remove one secret: an older one, or one that is not required."""
    slug, secret_id = context.path("slug"), context.path_uuid("secret")
    context.audited["endpoint"] = slug

    async def act(_: Unit) -> None:
        answer = await _ask(context, f"/{slug}/secrets/{secret_id}/remove", {})
        context.audited["fields"] = [answer["secret"]]

    return await carry_out(context, act, to=f"{HERE}/{slug}", flash=gettext("Secret removed."))


@pages.post(HERE + "/{slug}/test", DEMAND, action="provider.test", again=_one)
async def test_endpoint(context: PageContext) -> Response:
    """Ask the provider whether it accepts the credentials and which events it sends."""
    slug = context.path("slug")
    tested = await _ask(context, f"/{slug}/test", {}, TEST_SECONDS)
    context.audited.update(endpoint=slug, outcome=tested["outcome"])
    return await _one(context, {}, tested)


async def _ask(
    context: PageContext, path: str, body: Mapping[str, Any], seconds: float | None = None
) -> Mapping[str, Any]:
    """Request a change from payments. Raises Missing, and Invalid with its reasons or when it does not answer."""
    sent = {"shop": context.shop, "actor": context.actor, **body}
    answer = await context.app_state.clients.post(
        "payments", f"/internal/endpoints{path}", sent, seconds=seconds
    )
    if isinstance(answer, ServiceUnavailable):
        why = gettext(
            "The service is not responding. Check in a moment whether it was done before you try again."
        )
        raise Invalid(**{"": why})
    if answer.status == 404:
        raise Missing
    if answer.status >= 400:
        raise Invalid(**reasons_by_field(answer.body))
    current: Mapping[str, Any] = answer.body
    return current


def _audit(context: PageContext, slug: str, provider: str, fields: list[str]) -> None:
    """Record in the audit which fields were submitted, never their values."""
    context.audited.update(endpoint=slug[:64], provider=provider, fields=fields)


def _known(provider: str) -> str:
    if provider not in PROVIDERS:
        raise Missing
    return provider


def _provider(context: PageContext) -> str:
    """Return the provider in the path. Raises Missing."""
    return _known(context.path("provider"))


def _found(answer: Mapping[str, Any], slug: str) -> dict[str, Any]:
    """Return the endpoint. Raises Missing."""
    for one in answer["endpoints"]:
        if one["slug"] == slug:
            return dict(one)
    raise Missing


def _found_now(answer: Mapping[str, Any] | ServiceUnavailable, slug: str) -> dict[str, Any]:
    if isinstance(answer, ServiceUnavailable):
        why = gettext(
            "The service is not responding. Check in a moment whether it was done before you try again."
        )
        raise Invalid(**{"": why})
    return _found(answer, slug)


def _needed(answer: Mapping[str, Any], provider: str) -> list[str]:
    """Return the events that endpoints of the provider must send."""
    return next((list(one["needed"]) for one in answer["providers"] if one["provider"] == provider), [])
