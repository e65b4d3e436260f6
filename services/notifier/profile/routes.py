"""Internal routes about a shop's texts and profile, for the back office: read, and tried without being kept."""

import base64
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from contracts.notifier.mail_texts import TextPart
from services.chassis.http.problems import Errors
from services.chassis.runtime.hub import Hub
from services.notifier.mails import settings as configured
from services.notifier.mails.compose.composing import words_of
from services.notifier.mails.compose.logo import media_type
from services.notifier.mails.compose.wording import built_in
from services.notifier.mails.settings import ShopProfile
from services.notifier.mails.texts import store
from services.notifier.mails.texts.placeholders import WORDINGS, placeholders_of
from services.notifier.mails.texts.planning import LANGUAGES
from services.notifier.mails.texts.profile import CHANGEABLE, overlaid
from services.notifier.mails.texts.store import ProfileRow, TextRow
from services.notifier.profile import picture, previewing
from services.notifier.profile.checking import LONGEST
from services.notifier.profile.previewing import PreviewInvalid, TextUnknown

ERRORS: Errors = {TextUnknown: 404, PreviewInvalid: 422, picture.PictureUnusable: 422}
_NO_STORE = {"Cache-Control": "no-store"}
Endpoint = Callable[[Hub, Request], Awaitable[Response]]


async def list_texts(hub: Hub, request: Request) -> Response:
    """Return `?shop=`: every mail whose texts can be edited, and by language what the shop changed last."""
    shop = _shop(hub, request).shop
    async with hub.acquire() as connection:
        latest = await store.read_latest(connection, shop)
    changed = {(row.template, row.locale, row.part): row for row in latest}
    return JSONResponse(
        {
            "languages": list(LANGUAGES),
            "mails": [
                {
                    "wording": wording,
                    "names": {language: words_of(language)["name"][wording] for language in LANGUAGES},
                    "texts": {language: _summary(changed, wording, language) for language in LANGUAGES},
                }
                for wording in WORDINGS
            ],
        }
    )


async def show_text(hub: Hub, request: Request) -> Response:
    """Return a mail's texts in one language: active, built in, their placeholders and their versions."""
    shop, (wording, locale) = _shop(hub, request).shop, _named(request)
    async with hub.acquire() as connection:
        history = await store.read_history(connection, shop, wording, locale)
        own = await previewing.active_texts(connection, shop, wording, locale)
        recent = await previewing.recent_mails(connection, shop, wording)
    words, latest = words_of(locale), _latest(history)
    return JSONResponse(
        {
            "wording": wording,
            "locale": locale,
            "names": {language: words_of(language)["name"][wording] for language in LANGUAGES},
            "parts": {
                part.value: {
                    "text": own.get(part, built_in(words, wording, part)),
                    "built_in": built_in(words, wording, part),
                    "is_built_in": part not in own,
                    "version": latest[part.value].version if part.value in latest else 0,
                    "longest": LONGEST[part],
                }
                for part in TextPart
            },
            "placeholders": [
                {"name": one.name, "label": one.label, "example": one.example[locale]}
                for one in placeholders_of(wording)
            ],
            "versions": [_version(row) for row in history],
            "recent": [
                {"id": str(mail.id), "code": mail.code, "created_at": mail.created_at.isoformat()}
                for mail in recent
            ],
        },
        headers=_NO_STORE,
    )


async def preview_text(hub: Hub, request: Request) -> Response:
    """Return the mail that the texts in the body would give, and what is wrong with them; nothing is kept."""
    wanted = previewing.read_request(await request.body())
    shop = configured.of(hub).profile(wanted.shop)
    if wanted.logo:
        wanted = wanted.model_copy(update={"logo": _checked(wanted.logo)})
    async with hub.acquire() as connection:
        return JSONResponse(await previewing.preview(connection, wanted, shop), headers=_NO_STORE)


async def show_profile(hub: Hub, request: Request) -> Response:
    """Return `?shop=`: a shop's brand and support block: active, as the settings have it, and the version."""
    shop = _shop(hub, request)
    async with hub.acquire() as connection:
        row = (await store.read_profiles(connection, [shop.shop])).get(shop.shop)
    shown = overlaid(shop, row)
    return JSONResponse(
        {
            "name": shop.name,
            "from_email": shop.from_email,
            "version": row.version if row else 0,
            "values": {name: getattr(shown, name) for name in CHANGEABLE},
            "defaults": {name: getattr(shop, name) for name in CHANGEABLE},
            "logo": _data_url(shown.logo),
            "has_own_logo": bool(row and row.logo),
            **_changed(row),
        },
        headers=_NO_STORE,
    )


ROUTES: list[tuple[str, str, Endpoint]] = [
    ("GET", "/internal/texts", list_texts),
    ("POST", "/internal/texts/preview", preview_text),
    ("GET", "/internal/texts/{wording}/{locale}", show_text),
    ("GET", "/internal/shop-profile", show_profile),
]


def _shop(hub: Hub, request: Request) -> ShopProfile:
    return configured.of(hub).profile(request.query_params.get("shop", ""))


def _named(request: Request) -> tuple[str, str]:
    wording, locale = request.path_params["wording"], request.path_params["locale"]
    previewing.template(wording)
    if locale not in LANGUAGES:
        raise TextUnknown(f"mails are written in {' and '.join(LANGUAGES)}, not in {locale!r}")
    return wording, locale


def _summary(changed: dict[tuple[str, str, str], TextRow], wording: str, language: str) -> dict[str, Any]:
    rows = [row for part in TextPart if (row := changed.get((wording, language, part.value)))]
    own = [row.part for row in rows if row.text is not None]
    last = max(rows, key=lambda row: row.changed_at, default=None)
    return {
        "own": own,
        "version": sum(row.version for row in rows),
        **_changed(last),
    }


def _changed(row: TextRow | ProfileRow | None) -> dict[str, Any]:
    return {
        "changed_by": row.changed_by if row else None,
        "changed_at": row.changed_at.isoformat() if row else None,
    }


def _latest(history: list[TextRow]) -> dict[str, TextRow]:
    return {row.part: row for row in sorted(history, key=lambda row: row.version)}


def _version(row: TextRow) -> dict[str, Any]:
    return {"part": row.part, "version": row.version, "text": row.text, **_changed(row)}


def _checked(encoded: str) -> str:
    try:
        return base64.b64encode(picture.checked(base64.b64decode(encoded, validate=True))).decode()
    except ValueError as error:
        raise picture.PictureUnusable(str(error)) from None


def _data_url(logo: str | None) -> str | None:
    return f"data:{media_type(base64.b64decode(logo))};base64,{logo}" if logo else None
