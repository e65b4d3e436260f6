"""Preview of a mail with texts and a profile that are not kept yet: on a sample, or on a recent mail of the shop.

Reads at most one mail and changes nothing. It goes through the same check and templates as the mail itself.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.message import Locale, Shop
from contracts.notifier.mail_texts import LONGEST_LOGO, ShopAppearance, TextPart
from services.chassis.storage.database import Connection
from services.notifier.mails import store
from services.notifier.mails.compose.composing import Pages, write_pages
from services.notifier.mails.compose.logo import with_logo
from services.notifier.mails.mail import Mail, Recipient
from services.notifier.mails.recipients import read_recipients
from services.notifier.mails.settings import ShopProfile
from services.notifier.mails.texts import store as text_store
from services.notifier.mails.texts.planning import wording_of
from services.notifier.mails.texts.profile import overlaid, with_appearance
from services.notifier.profile.checking import check, tidied
from services.notifier.profile.samples import NUMBER_OF_SAMPLES, sample, template_of

MOST_RECENT = 5


class TextUnknown(LookupError):
    """No mail has a wording of this name, or no mail of the shop has this id."""


class PreviewInvalid(ValueError):
    """The request for a preview is not valid; the text names every invalid field."""


class TextPreviewRequest(BaseModel):
    """Request for a preview: which mail, with which texts. None: the active text. `appearance`: instead of the
    active profile.
    """

    model_config = ConfigDict(extra="forbid")

    shop: Shop
    wording: Annotated[str, Field(max_length=60)]
    locale: Locale
    texts: dict[TextPart, Annotated[str, Field(max_length=20_000)] | None] = {}
    sample: Annotated[int, Field(ge=0, lt=NUMBER_OF_SAMPLES)] = 0
    mail: UUID | None = None
    appearance: ShopAppearance | None = None
    logo: Annotated[str, Field(max_length=LONGEST_LOGO)] | None = None
    removes_logo: bool = False


def read_request(body: bytes) -> TextPreviewRequest:
    """Return the request. Raises PreviewInvalid."""
    try:
        return TextPreviewRequest.model_validate_json(body)
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, one['loc'])) or 'body'}: {one['msg']}" for one in error.errors())
        raise PreviewInvalid("; ".join(faults)[:1000]) from None


async def preview(
    connection: Connection, request: TextPreviewRequest, configured: ShopProfile
) -> dict[str, Any]:
    """Return the pages, or what is wrong with the texts by part. Raises TextUnknown."""
    shop = await _shop(connection, request, configured)
    mail, recipient = await _subject(connection, request)
    own = await active_texts(connection, request.shop, request.wording, request.locale)
    own |= {part: tidied(text) for part, text in request.texts.items() if text is not None}
    faults = {
        part.value: [
            {"code": one.code, "line": one.line, "found": one.found, "nearest": one.nearest}
            for one in check(request.wording, part, text, shop)
        ]
        for part, text in own.items()
    }
    problems = {part: found for part, found in faults.items() if found}
    usable = {part: text for part, text in own.items() if part.value not in problems}
    return {"problems": problems, **_shown(write_pages(mail, recipient, shop, own=usable), shop)}


async def active_texts(connection: Connection, shop: str, wording: str, locale: str) -> dict[TextPart, str]:
    """Return the shop's own texts of a mail that are active."""
    keys = [(shop, wording, locale, part.value) for part in TextPart]
    found = await text_store.read_texts(connection, keys)
    return {TextPart(row.part): row.text for row in found.values() if row.text is not None}


async def recent_mails(connection: Connection, shop: str, wording: str) -> list[Mail]:
    """Return the latest mails of a wording, at most five. Raises TextUnknown."""
    ids = await text_store.read_recent(connection, shop, template(wording))
    mails = {mail.id: mail for mail in await store.read_mails(connection, ids)}
    same = [mails[one] for one in ids if wording_of(mails[one].template, mails[one].context) == wording]
    return same[:MOST_RECENT]


def template(wording: str) -> str:
    """Return the name of a wording's template. Raises TextUnknown."""
    try:
        return template_of(wording).value
    except KeyError:
        raise TextUnknown(f"no mail whose texts can be edited is called {wording!r}") from None


async def _shop(connection: Connection, request: TextPreviewRequest, configured: ShopProfile) -> ShopProfile:
    changed = (await text_store.read_profiles(connection, [request.shop])).get(request.shop)
    if request.appearance is None:
        return overlaid(configured, changed)
    kept = overlaid(configured, changed).logo
    logo = request.logo or (configured.logo if request.removes_logo else kept)
    return with_appearance(configured, request.appearance).model_copy(update={"logo": logo})


async def _subject(connection: Connection, request: TextPreviewRequest) -> tuple[Mail, Recipient]:
    """Return the mail and its order: a sample, or one that was planned."""
    template(request.wording)
    if request.mail is None:
        return sample(request.wording, request.shop, request.locale, request.sample)
    found = [one for one in await store.read_mails(connection, [request.mail]) if one.shop == request.shop]
    if not found or wording_of(found[0].template, found[0].context) != request.wording:
        raise TextUnknown(f"shop {request.shop} has no mail {request.mail} of {request.wording}")
    mail = replace(found[0], locale=request.locale)
    recipient = (await read_recipients(connection, [mail]))[mail.id]
    if recipient.deleted_at is not None:
        raise TextUnknown(f"the order of mail {request.mail} was deleted")
    return mail, recipient


def _shown(pages: Pages, shop: ShopProfile) -> Mapping[str, str]:
    return {"subject": pages.subject, "text": pages.text, "html": with_logo(pages.html, shop)}
