"""Commands about texts and profile: one outcome each, versions, and every reason against a change."""

import base64
from typing import Any

import pytest

from contracts.message import Message
from contracts.notifier.mail_texts import (
    ChangeShopProfile,
    ResetTemplate,
    SendTestMail,
    SetTemplate,
    ShopAppearance,
    ShopProfileChanged,
    TemplateChanged,
    TextPart,
)
from contracts.service import CommandDone, CommandRejected
from services.chassis.testing import Desk, wait_until
from services.notifier.sending.sending import Sender
from services.notifier.sending.trying import TrialMails
from tests.conftest import Desks
from tests.notifier.builders import SHOP
from tests.notifier.mail_server import MailServer, ServerBehaviour
from tests.notifier.sending.test_sending import a_desk
from tests.notifier.texts.test_picture import a_png

ACTOR = "staff:maelle"


def setting(text: str, based_on: int = 0, **changes: Any) -> SetTemplate:
    values = {"shop": SHOP, "template": "order_recap", "locale": "fr", "part": TextPart.INTRO, "actor": ACTOR}
    return SetTemplate(**{**values, "text": text, "based_on_version": based_on, **changes})


def resetting(based_on: int) -> ResetTemplate:
    values = setting("", based_on).model_dump(exclude={"text"})
    return ResetTemplate(**values)


def profile(based_on: int = 0, logo: bytes | None = None, **changes: Any) -> ChangeShopProfile:
    return ChangeShopProfile(
        shop=SHOP,
        appearance=ShopAppearance(**changes),
        logo=base64.b64encode(logo).decode() if logo else None,
        based_on_version=based_on,
        actor=ACTOR,
    )


async def answer(desk: Desk, command: Message) -> Message:
    """The one outcome of a command."""
    ((_, event),) = (await desk.deliver(command)).emitted
    return event


async def codes(desk: Desk, command: Message) -> list[tuple[str, str | None]]:
    body = await answer(desk, command)
    assert isinstance(body, CommandRejected)
    return [(reason.code, reason.field) for reason in body.reasons]


@pytest.mark.rows("C05")
async def test_a_text_is_replaced_restored_and_reset_by_versions(desks: Desks) -> None:
    desk = await desks("notifier")
    first = await answer(desk, setting("Bonjour {{ customer_name }} !\r\n"))
    assert isinstance(first, TemplateChanged)
    assert (first.version, first.is_built_in, first.changed_by) == (1, False, ACTOR)
    assert isinstance(await answer(desk, setting("Bonjour {{ customer_name }} !")), CommandDone)
    assert await codes(desk, setting("Salut")) == [("version_differs", "based_on_version")]
    built_in = await answer(desk, resetting(1))
    assert isinstance(built_in, TemplateChanged)
    assert (built_in.version, built_in.is_built_in) == (2, True)
    assert isinstance(await answer(desk, resetting(1)), CommandDone)
    assert isinstance(await answer(desk, setting("Salut", 2)), TemplateChanged)
    rows = await desk.fetch("SELECT version, text FROM template_text ORDER BY version")
    assert [tuple(row) for row in rows] == [(1, "Bonjour {{ customer_name }} !"), (2, None), (3, "Salut")]


async def test_two_commands_of_one_version_in_a_batch_change_it_once(desks: Desks) -> None:
    desk = await desks("notifier")
    await answer(desk, setting("Un"))
    assert await codes(desk, setting("Deux")) == [("version_differs", "based_on_version")]
    assert await desk.fetchval("SELECT count(*) FROM template_text") == 1


@pytest.mark.parametrize(("command", "expected"), [
    (setting("{{ custmer_name }}"), [("placeholder_unknown", "text")]),
    (setting("a\n{{ customer_name"), [("placeholder_unclosed", "text")]),
    (setting("x" * 3000, part=TextPart.FOOTER), [("part_too_long", "text")]),
    (setting("a\nb", part=TextPart.SUBJECT), [("subject_lines", "text")]),
    (setting(" ", part=TextPart.SUBJECT), [("text_blank", "text")]),
    (setting("{{ carrier }}"), [("placeholder_unknown", "text")]),
    (setting("a", template="poem"), [("template_unknown", "template")]),
    (setting("a", template="text_damaged"), [("template_unknown", "template")]),
    (setting("a", locale="de"), [("language_unknown", "locale")]),
    (setting("a", shop="nowhere"), [("unknown_shop", "shop")]),
    (setting("a", 7), [("version_differs", "based_on_version")]),
    (profile(3), [("version_differs", "based_on_version")]),
    (profile(logo=b"<svg/>"), [("logo_unreadable", "logo")]),
])  # fmt: skip
async def test_a_change_that_cannot_be_made_is_rejected(
    desks: Desks, command: Message, expected: list[tuple[str, str]]
) -> None:
    desk = await desks("notifier")
    assert await codes(desk, command) == expected
    assert await desk.fetchval("SELECT count(*) FROM template_text") == 0


@pytest.mark.rows("A01")
async def test_the_profile_is_replaced_and_its_logo_stays(desks: Desks) -> None:
    desk = await desks("notifier")
    body = await answer(desk, profile(logo=a_png(), support_phone="", brand_colour="#aa2200"))
    assert isinstance(body, ShopProfileChanged)
    assert (body.version, body.has_logo) == (1, True)
    assert (body.appearance.support_phone, body.appearance.support_email) == ("", None)
    kept = await answer(desk, profile(1, support_email="neuf@atelier.example"))
    assert isinstance(kept, ShopProfileChanged)
    assert kept.has_logo
    removed = await answer(desk, profile(2).model_copy(update={"removes_logo": True}))
    assert isinstance(removed, ShopProfileChanged)
    assert not removed.has_logo


def a_test(**changes: Any) -> SendTestMail:
    values = {"shop": SHOP, "template": "order_recap", "locale": "fr", "recipient": "lea@atelier.example"}
    return SendTestMail(**{**values, "actor": ACTOR, **changes})


async def outcome_of(desk: Desk, sender: Sender, command: Message | None = None) -> Message | None:
    trial = TrialMails(desk.hub, sender.pool)
    if command is not None:
        await desk.deliver(command)

    async def ended() -> Message | None:
        await trial.effects.run(desk.hub)
        return next(
            (one for _, one in desk.emitted() if isinstance(one, CommandDone | CommandRejected)), None
        )

    return await wait_until(ended)


async def test_a_test_mail_shows_the_typed_texts_and_ends_its_command(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, sender = await a_desk(desks, mail_server)
    await desk.deliver(setting("Pied en vigueur.", part=TextPart.FOOTER))
    await desk.deliver(profile(signature="L’équipe"))
    outcome = await outcome_of(
        desk, sender, a_test(intro="Bonjour **{{ customer_name }}**, en cours d’écriture.")
    )
    assert isinstance(outcome, CommandDone)
    (mail,) = mail_server.journal
    assert (mail["To"], mail["Subject"]) == (
        "Zoé Lefèvre <lea@atelier.example>",
        "[Test] Votre commande K7F3-QD9M chez Atelier Lumière",
    )
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    for expected in (
        "Bonjour Zoé Lefèvre, en cours d’écriture.",
        "Pied en vigueur.",
        "L’équipe",
        "Bougie figuier",
    ):
        assert expected in text
    assert await desk.fetchval("SELECT count(*) FROM mail") == 0


async def test_a_refused_test_mail_gives_the_reason(desks: Desks, mail_server: MailServer) -> None:
    desk, sender = await a_desk(desks, mail_server)
    assert await codes(desk, a_test(subject="{{ custmer_name }}")) == [("placeholder_unknown", "subject")]
    mail_server.will("RCPT", "550 no such user")
    outcome = await outcome_of(desk, sender, a_test(actor="staff:zoe"))
    assert isinstance(outcome, CommandRejected)
    assert "no such user" in outcome.reasons[0].message


async def test_a_test_mail_that_may_have_gone_is_not_reported_as_unsent(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, sender = await a_desk(desks, mail_server)
    mail_server.will("DATA", ServerBehaviour.KEEP_AND_DROP)
    outcome = await outcome_of(desk, sender, a_test())
    assert isinstance(outcome, CommandRejected)
    (reason,) = outcome.reasons
    assert reason.code == "test_mail_uncertain"
    assert reason.message.startswith("it is not known whether the test mail was sent: ")
    assert len(mail_server.journal) == 1


async def test_a_test_mail_whose_texts_can_not_be_read_is_retried(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, sender = await a_desk(desks, mail_server)
    await desk.deliver(a_test())
    await desk.hub.pool.execute("ALTER TABLE template_text RENAME TO gone")
    await TrialMails(desk.hub, sender.pool).effects.run(desk.hub)
    assert await desk.fetchval("SELECT state FROM msg.effect") == "planned"
    await desk.hub.pool.execute("ALTER TABLE gone RENAME TO template_text")
    assert isinstance(await outcome_of(desk, sender), CommandDone)
    assert len(mail_server.journal) == 1
