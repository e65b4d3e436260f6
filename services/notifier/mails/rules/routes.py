"""Internal route about a shop's switches, for the back office."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.chassis.runtime.hub import Hub
from services.notifier.mails import settings as configured
from services.notifier.mails.compose.composing import words_of
from services.notifier.mails.mail import TO_MERCHANT, Template
from services.notifier.mails.rules import store
from services.notifier.mails.rules.rule import ABANDONED_AFTER_MINUTES, EXPLAINED, FIXED, Rules, switches_of
from services.notifier.mails.texts.planning import LANGUAGES


async def show_rules(hub: Hub, request: Request) -> Response:
    """Return `?shop=`: the active switches, the mails without one and why, and the version."""
    shop = configured.of(hub).profile(request.query_params.get("shop", "")).shop
    async with hub.acquire() as connection:
        row = await store.read_latest(connection, shop)
    rules = store.rules_in(row) if row else None
    return JSONResponse(
        {
            "version": row.version if row else 0,
            "switches": [
                {**_mail(Template(name)), "is_on": is_on} for name, is_on in switches_of(rules).items()
            ],
            "fixed": [
                {**_mail(template), "why": why.value, "explanation": EXPLAINED[why]}
                for template, why in FIXED.items()
            ],
            "abandoned_after_minutes": _minutes(rules),
            "changed_by": row.changed_by if row else None,
            "changed_at": row.changed_at.isoformat() if row else None,
        },
        headers={"Cache-Control": "no-store"},
    )


def _minutes(rules: Rules | None) -> int:
    return rules.abandoned_after_minutes if rules else ABANDONED_AFTER_MINUTES


def _mail(template: Template) -> dict[str, Any]:
    return {
        "template": template.value,
        "names": {language: words_of(language)["name"][template.value] for language in LANGUAGES},
        "is_to_merchant": template in TO_MERCHANT,
    }
