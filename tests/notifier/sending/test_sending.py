"""From planned to told, on a real PostgreSQL and a real SMTP server: one mail per cause, whatever goes wrong."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from contracts.envelope import uuid7
from contracts.notifier.bounces import MailBounced
from contracts.notifier.mails import MailFailed, MailSent, MailUncertain
from services.chassis.testing import Desk, wait_until
from services.notifier.mails.mail import Template
from services.notifier.mails.recent import Recent, recent
from services.notifier.sending.sending import Sender
from tests.conftest import Desks
from tests.notifier import made_up_mails
from tests.notifier.builders import a_shipment, an_order
from tests.notifier.mail_server import MailServer, ServerBehaviour

DEADLINE_SECONDS = 15
RESEND = {"order_recap": "resend", "new_order": "resend"}


async def a_desk(desks: Desks, server: MailServer, **settings: Any) -> tuple[Desk, Sender]:
    values = {"smtp_port": server.port, "smtp_timeout_seconds": 5.0, "retry_seconds": 0.05, **settings}
    desk = await desks("notifier", **values)
    return desk, Sender(desk.hub)


async def send_until(desk: Desk, sender: Sender, done: Callable[[dict[str, int]], bool]) -> dict[str, int]:
    """Let the worker work until the number of mails by state is as wished."""

    async def states() -> dict[str, int] | None:
        await sender.effects.run(desk.hub)
        found = await by_state(desk)
        return found if done(found) else None

    return await wait_until(states, DEADLINE_SECONDS) or {}


async def by_state(desk: Desk) -> dict[str, int]:
    rows = await desk.fetch("SELECT state, count(*) AS n FROM mail_with_state GROUP BY state")
    return {row["state"]: row["n"] for row in rows}


def settled(states: dict[str, int]) -> bool:
    return not states.keys() & {"planned", "in_flight"}


def reports(desk: Desk, kind: type[Any]) -> list[list[Any]]:
    return [reports_.mails for _, reports_ in desk.emitted() if isinstance(reports_, kind)]


async def test_both_mails_of_an_order_go_once_in_one_report(desks: Desks, mail_server: MailServer) -> None:
    desk, sender = await a_desk(desks, mail_server)
    order = an_order()
    placed = await desk.deliver(order)
    assert await send_until(desk, sender, settled) == {"done": 2}
    ids = [row["message_id"] for row in await desk.fetch("SELECT message_id FROM mail ORDER BY message_id")]
    assert sorted(mail_server.message_ids) == ids
    (reports_,) = reports(desk, MailSent)
    assert {(report.template, report.recipient) for report in reports_} == {
        ("new_order", "commandes@atelier.example"),
        ("order_recap", "zoe@clients.example"),
    }
    assert all(
        (report.order_id, report.code, report.cause_id) == (order.order_id, order.code, placed.envelope.id)
        for report in reports_
    )
    event = (await desk.fetch("SELECT shop, subject, sequence FROM msg.event_log"))[0]
    assert tuple(event) == (None, None, None)


async def test_whole_life_costs_two_reports_and_one_thread(desks: Desks, mail_server: MailServer) -> None:
    desk, sender = await a_desk(desks, mail_server)
    order = an_order()
    await desk.deliver(order)
    await send_until(desk, sender, settled)
    await desk.deliver(a_shipment(order.order_id))
    await send_until(desk, sender, settled)
    assert await desk.fetchval("SELECT count(*) FROM msg.event_log") == 2
    recap = next(mail for mail in mail_server.journal if "zoe" in mail["To"])
    dispatch = mail_server.journal[-1]
    assert dispatch["In-Reply-To"] == dispatch["References"] == recap["Message-ID"]
    assert "suivi.example" in dispatch.get_body(("plain",)).get_content()  # type: ignore[union-attr]


async def test_mails_that_another_process_decided_on(desks: Desks, mail_server: MailServer) -> None:
    desk, sender = await a_desk(desks, mail_server)
    await desk.deliver(an_order())
    await desk.deliver(an_order())
    recent.clear()
    assert await send_until(desk, sender, settled) == {"done": 4}
    assert sum(len(event) for event in reports(desk, MailSent)) == 4


def test_what_is_remembered_is_bounded() -> None:
    order = an_order()
    kept = Recent(limit=2)
    pairs = [made_up_mails.a_pair(Template.NEW_ORDER, order, cause) for cause in (uuid7(), uuid7(), uuid7())]
    kept.keep(pairs)
    assert [kept.get(mail.id) for mail, _ in pairs] == [None, pairs[1], pairs[2]]
    kept.forget([pairs[1][0].id])
    assert kept.get(pairs[1][0].id) is None


async def test_many_mails_share_one_message_per_batch(desks: Desks, mail_server: MailServer) -> None:
    desk, sender = await a_desk(desks, mail_server)
    for number in range(20):
        await desk.deliver(an_order(code=f"AAAA-{number:04}"))
    assert await send_until(desk, sender, settled) == {"done": 40}
    assert len(set(mail_server.message_ids)) == len(mail_server.journal) == 40
    assert sum(len(event) for event in reports(desk, MailSent)) == 40
    assert len(reports(desk, MailSent)) < 20


async def test_an_unavailable_mail_server_delays_and_loses_nothing(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, sender = await a_desk(desks, mail_server, mail_attempts=1, mail_give_up_hours=1e-9)
    await mail_server.close()
    await desk.deliver(an_order())
    await sender.effects.run(desk.hub)
    waiting = await desk.fetch("SELECT state, attempts, detail FROM mail_with_state")
    assert [(row["state"], row["attempts"]) for row in waiting] == [("planned", 1)] * 2
    assert all("can't be used" in row["detail"] for row in waiting)
    await mail_server.open()
    assert await send_until(desk, sender, settled) == {"done": 2}
    assert len(mail_server.journal) == 2


async def test_deferred_mail_goes_later(desks: Desks, mail_server: MailServer) -> None:
    desk, sender = await a_desk(desks, mail_server)
    mail_server.will("RCPT", "451 greylisted", "451 greylisted").will("DATA", "452 disk full")
    await desk.deliver(an_order())
    assert await send_until(desk, sender, settled) == {"done": 2}
    assert len(mail_server.journal) == 2


async def test_mail_that_is_deferred_for_ever_fails_at_last(desks: Desks, mail_server: MailServer) -> None:
    desk, sender = await a_desk(desks, mail_server, mail_attempts=3, mail_give_up_hours=1e-9)
    mail_server.will("RCPT", *["451 greylisted"] * 6)
    await desk.deliver(an_order())
    assert await send_until(desk, sender, settled) == {"failed": 2}
    detail = reports(desk, MailFailed)[0][0].detail
    assert detail == "given up after 3 tries: recipient: 451 greylisted"


async def test_refused_mail_fails_and_is_shown(desks: Desks, mail_server: MailServer) -> None:
    desk, sender = await a_desk(desks, mail_server)
    mail_server.will("RCPT", "550 5.1.1 no such mailbox")
    await desk.deliver(an_order())
    assert await send_until(desk, sender, settled) == {"done": 1, "bounced": 1}
    ((refused,),) = reports(desk, MailBounced)
    assert (refused.kind, refused.status) == ("address", "5.1.1")
    assert refused.detail == "550 5.1.1 no such mailbox"


@pytest.mark.parametrize(
    ("behaviour", "kept"),
    [(ServerBehaviour.DROP, 1), (ServerBehaviour.KEEP_AND_DROP, 2), (ServerBehaviour.HANG, 1)],
)
async def test_mail_without_an_answer_is_held_for_a_person(
    desks: Desks, mail_server: MailServer, behaviour: ServerBehaviour, kept: int
) -> None:
    desk, sender = await a_desk(desks, mail_server, smtp_timeout_seconds=1.5)
    mail_server.will("DATA", behaviour)
    await desk.deliver(an_order())
    assert await send_until(desk, sender, settled) == {"done": 1, "uncertain": 1}
    ((uncertain,),) = reports(desk, MailUncertain)
    assert "no answer after the whole letter was sent" in (uncertain.detail or "")
    await sender.effects.run(desk.hub)
    assert len(mail_server.journal) == len(set(mail_server.message_ids)) == kept


async def test_mail_without_an_answer_goes_again_if_so_set(desks: Desks, mail_server: MailServer) -> None:
    desk, sender = await a_desk(
        desks, mail_server, uncertain_mails={"order_recap": "resend", "new_order": "resend"}
    )
    mail_server.will("DATA", ServerBehaviour.KEEP_AND_DROP)
    await desk.deliver(an_order())
    assert await send_until(desk, sender, settled) == {"done": 2}
    assert len(mail_server.journal) == 3
    assert len(set(mail_server.message_ids)) == 2
    assert reports(desk, MailUncertain) == []


async def test_resending_on_its_own_ends(desks: Desks, mail_server: MailServer) -> None:
    desk, sender = await a_desk(
        desks, mail_server, uncertain_mails={"order_recap": "resend", "new_order": "resend"}
    )
    mail_server.will("DATA", *[ServerBehaviour.DROP] * 50)
    await desk.deliver(an_order())
    assert await send_until(desk, sender, settled) == {"uncertain": 2}
    assert len(mail_server.behaviours["DATA"]) == 42


@pytest.mark.parametrize(("policy", "end", "kept"), [("hold", "uncertain", 0), ("resend", "done", 2)])
async def test_mail_in_flight_when_its_process_died(
    desks: Desks, mail_server: MailServer, policy: str, end: str, kept: int
) -> None:
    policies = {"order_recap": policy, "new_order": policy}
    desk, sender = await a_desk(desks, mail_server, uncertain_mails=policies)
    await desk.deliver(an_order())
    await desk.fetch(
        "UPDATE msg.effect SET state = 'in_flight', attempts = 1, lease_until = now() - interval '1 s'"
    )
    assert await send_until(desk, sender, lambda states: states == {end: 2}) == {end: 2}
    assert len(mail_server.journal) == kept


async def test_unusable_address_fails_in_words_and_harms_no_other(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, sender = await a_desk(desks, mail_server)
    order = an_order(customer={"name": "Zoé", "email": "a,b<c>@clients.example"})
    await desk.deliver(order)
    with capture_logs() as lines:
        assert await send_until(desk, sender, settled) == {"done": 1, "failed": 1}
    (line,) = [one for one in lines if one["event"] == "a mail could not be written"]
    assert line["error"] == "AddressUnusable"
    assert "clients.example" not in str(lines), "an address is not logged"
    ((failed,),) = reports(desk, MailFailed)
    assert "correct it" in (failed.detail or "")
    assert mail_server.envelopes == [("boutique@atelier.example", ["commandes@atelier.example"])]


async def test_mail_whose_row_is_gone_fails_alone(desks: Desks, mail_server: MailServer) -> None:
    desk, sender = await a_desk(desks, mail_server)
    await desk.deliver(an_order())
    await desk.fetch("DELETE FROM mail WHERE template = 'new_order'")
    recent.clear()
    assert await send_until(desk, sender, settled) == {"done": 1}
    assert await desk.fetchval("SELECT count(*) FROM msg.effect WHERE state = 'failed'") == 1


async def test_worker_is_nudged_by_the_placing(desks: Desks, mail_server: MailServer) -> None:
    desk, sender = await a_desk(desks, mail_server)
    loop = asyncio.create_task(sender.worker().loop(desk.hub))
    await desk.deliver(an_order())

    async def all_done() -> bool:
        return await by_state(desk) == {"done": 2}

    await wait_until(all_done, DEADLINE_SECONDS)
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)


async def test_mail_that_cannot_be_written_fails_whatever_the_reason(
    desks: Desks, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was never handed to the mail server, so there is no doubt about it."""

    def overflow(*_: Any) -> None:
        raise OverflowError("date value out of range")

    desk, sender = await a_desk(desks, mail_server)
    monkeypatch.setattr("services.notifier.sending.sending.compose", overflow)
    await desk.deliver(an_order())
    assert await send_until(desk, sender, settled) == {"failed": 2}
    assert sum(map(len, reports(desk, MailFailed))) == 2
