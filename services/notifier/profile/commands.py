"""Commands about a shop's texts and profile; each ends with the change, with nothing to change, or a rejection."""

import base64
import binascii

from contracts.message import Reason
from contracts.notifier.mail_texts import (
    ChangeShopProfile,
    ResetTemplate,
    SendTestMail,
    SetTemplate,
    ShopProfileChanged,
    TemplateChanged,
    TextPart,
)
from contracts.service import CommandDone, CommandRejected
from services.chassis.messaging.subscribers import ReceivedMessage
from services.notifier.mails.settings import ShopProfile, ShopUnknown
from services.notifier.mails.texts.placeholders import WORDINGS
from services.notifier.mails.texts.planning import LANGUAGES
from services.notifier.mails.texts.store import ProfileRow, TextRow
from services.notifier.mails.unit import MailUnit
from services.notifier.profile import picture
from services.notifier.profile.checking import check, tidied

TEST_MAIL = "test_mail"
"""The kind of the effect that sends a test mail; its key is the command's id."""
_About = (
    ReceivedMessage[SetTemplate]
    | ReceivedMessage[ResetTemplate]
    | ReceivedMessage[ChangeShopProfile]
    | ReceivedMessage[SendTestMail]
)


def set_template(work: MailUnit, received: ReceivedMessage[SetTemplate]) -> None:
    """Keep a new text of the shop's own, or answer with every reason against it.

    Idempotent: a text that is active already needs no change.
    """
    command, text = received.message, tidied(received.message.text)
    shop, reasons = _shop(work, command.shop)
    reasons += _unknown(command.template, command.locale)
    if shop is not None and not reasons:
        reasons = _faults(command.template, command.part, text, shop, "text")
    _change(work, received, text, reasons)


def reset_template(work: MailUnit, received: ReceivedMessage[ResetTemplate]) -> None:
    """Give a part its built-in text back. Idempotent: one that has it needs no change."""
    command = received.message
    _change(work, received, None, _unknown(command.template, command.locale))


def change_shop_profile(work: MailUnit, received: ReceivedMessage[ChangeShopProfile]) -> None:
    """Replace a shop's brand and support block, or answer with every reason against it."""
    command, known = received.message, work.texts.profile(received.message.shop)
    logo, faults = _logo(command.logo)
    reasons = [*_shop(work, command.shop)[1], *_stale(command.based_on_version, known), *faults]
    if reasons:
        _reject(work, received, reasons)
        return
    kept = known.logo if known and not command.removes_logo else None
    row = ProfileRow(
        shop=command.shop,
        version=work.unit.restored.next_version(command.based_on_version),
        appearance=command.appearance.model_dump_json(exclude_none=True),
        logo=logo or kept,
        changed_by=command.actor,
        changed_at=work.unit.now,
    )
    work.texts.put_profile(row)
    changed = ShopProfileChanged(
        shop=row.shop,
        version=row.version,
        appearance=command.appearance,
        has_logo=row.logo is not None,
        changed_by=row.changed_by,
        changed_at=row.changed_at,
    )
    work.unit.emit(changed, cause=received.envelope)


def send_test_mail(work: MailUnit, received: ReceivedMessage[SendTestMail]) -> None:
    """Plan a test mail, whose outcome answers the command, or answer with every reason against it."""
    command = received.message
    shop, reasons = _shop(work, command.shop)
    reasons += _unknown(command.template, command.locale)
    texts = {part: getattr(command, part.value) for part in TextPart}
    given = {part: tidied(text) for part, text in texts.items() if text is not None}
    if shop is not None and not reasons:
        for part, text in given.items():
            reasons += _faults(command.template, part, text, shop, part.value)
    if reasons:
        _reject(work, received, reasons)
        return
    payload = {
        "shop": command.shop,
        "wording": command.template,
        "locale": command.locale,
        "texts": {part.value: text for part, text in given.items()},
        "recipient": command.recipient,
        "command_type": received.envelope.type,
    }
    work.unit.plan(TEST_MAIL, str(received.envelope.id), payload)


def _change(
    work: MailUnit,
    received: ReceivedMessage[SetTemplate] | ReceivedMessage[ResetTemplate],
    text: str | None,
    reasons: list[Reason],
) -> None:
    """Write a version of a text; None: the built-in one."""
    command = received.message
    known = work.texts.text((command.shop, command.template, command.locale, command.part.value))
    if not reasons and text == (known.text if known else None):
        _emit_done(work, received)
        return
    if reasons := [*reasons, *_stale(command.based_on_version, known)]:
        _reject(work, received, reasons)
        return
    row = TextRow(
        shop=command.shop,
        template=command.template,
        locale=command.locale,
        part=command.part.value,
        version=work.unit.restored.next_version(command.based_on_version),
        text=text,
        changed_by=command.actor,
        changed_at=work.unit.now,
    )
    work.texts.put_text(row)
    changed = TemplateChanged(
        shop=row.shop,
        template=row.template,
        locale=row.locale,
        part=command.part,
        version=row.version,
        is_built_in=text is None,
        changed_by=row.changed_by,
        changed_at=row.changed_at,
    )
    work.unit.emit(changed, cause=received.envelope)


def _shop(work: MailUnit, name: str) -> tuple[ShopProfile | None, list[Reason]]:
    try:
        return work.shop(name), []
    except ShopUnknown as unknown:
        return None, [Reason(code="unknown_shop", message=str(unknown), field="shop")]


def _unknown(wording: str, locale: str) -> list[Reason]:
    reasons = []
    if wording not in WORDINGS:
        text = f"no mail is called {wording!r}; choose one of {', '.join(WORDINGS)}"
        reasons.append(Reason(code="template_unknown", message=text[:900], field="template"))
    if locale not in LANGUAGES:
        text = f"mails are written in {' and '.join(LANGUAGES)}, not in {locale!r}"
        reasons.append(Reason(code="language_unknown", message=text, field="locale"))
    return reasons


def _faults(wording: str, part: TextPart, text: str, shop: ShopProfile, field: str) -> list[Reason]:
    found = check(wording, part, text, shop)
    return [Reason(code=one.code, message=one.message, field=field) for one in found]


def _stale(based_on: int, known: TextRow | ProfileRow | None) -> list[Reason]:
    version = known.version if known else 0
    if based_on == version:
        return []
    text = f"it has version {version}, not {based_on}; read it again and repeat the change"
    return [Reason(code="version_differs", message=text, field="based_on_version")]


def _logo(encoded: str | None) -> tuple[bytes | None, list[Reason]]:
    if not encoded:
        return None, []
    try:
        return picture.checked(base64.b64decode(encoded, validate=True)), []
    except (binascii.Error, picture.PictureUnusable) as error:
        return None, [Reason(code="logo_unreadable", message=f"logo: {error}"[:900], field="logo")]


def _reject(work: MailUnit, received: _About, reasons: list[Reason]) -> None:
    command = received.message
    refused = CommandRejected(
        shop=command.shop,
        command_id=received.envelope.id,
        command_type=received.envelope.type,
        reasons=reasons,
    )
    work.unit.emit(refused, cause=received.envelope)


def _emit_done(work: MailUnit, received: _About) -> None:
    shop, envelope = received.message.shop, received.envelope
    done = CommandDone(shop=shop, command_id=envelope.id, command_type=envelope.type)
    work.unit.emit(done, cause=envelope)
