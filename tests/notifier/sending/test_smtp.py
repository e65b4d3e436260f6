"""The pool against a real SMTP server in every mood: gone, not gone, or unknown, and never a guess."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvloop
from aiosmtplib import SMTPException

from services.chassis.background.effects import Done, Failed, Retry, Uncertain
from services.notifier.mails.compose.composing import MailMessage
from services.notifier.mails.settings import NotifierSettings, Security
from services.notifier.sending.protocol import SmtpProtocol
from services.notifier.sending.smtp import Answer, Pool, ServerUnavailable
from tests.notifier.builders import settings_for
from tests.notifier.mail_server import MailServer, ServerBehaviour


def a_mail(name: str = "one", recipient: str = "zoe@clients.example") -> MailMessage:
    content = f"From: a@b.example\r\nMessage-ID: <{name}@b.example>\r\n\r\n.dot\r\n..\r\n.\r\nend\r\n"
    return MailMessage("boutique@atelier.example", recipient, content.encode(), not recipient.isascii())


def a_pool(server: MailServer, **changes: Any) -> Pool:
    return Pool(settings_for(smtp_port=server.port, **{"smtp_timeout_seconds": 5.0, **changes}))


@pytest.fixture(params=["one command at a time", "pipelining"])
async def mail_server(request: pytest.FixtureRequest) -> AsyncIterator[MailServer]:
    """A mail server with and without PIPELINING."""
    server = await MailServer(pipelining=request.param == "pipelining").open()
    yield server
    await server.close()


async def test_mail_arrives_octet_for_octet(mail_server: MailServer) -> None:
    pool = a_pool(mail_server)
    assert isinstance(await pool.send(a_mail()), Done)
    assert mail_server.envelopes == [("boutique@atelier.example", ["zoe@clients.example"])]
    assert str(mail_server.journal[0].get_payload()).replace("\r\n", "\n") == ".dot\n..\n.\nend\n"
    await pool.close()


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
async def test_4xx_is_a_retry_and_the_line_stays_usable(mail_server: MailServer, step: str) -> None:
    pool = a_pool(mail_server)
    mail_server.will(step, "451 4.3.0 later")
    outcome = await pool.send(a_mail())
    assert isinstance(outcome, Retry)
    assert "451 4.3.0 later" in outcome.detail
    assert mail_server.journal == []
    assert isinstance(await pool.send(a_mail()), Done)
    assert mail_server.connections == (2 if mail_server.pipelining and step != "DATA" else 1)
    await pool.close()


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
async def test_5xx_fails_with_the_servers_words(mail_server: MailServer, step: str) -> None:
    pool = a_pool(mail_server)
    mail_server.will(step, "550 5.1.1 no such mailbox")
    outcome = await pool.send(a_mail())
    assert isinstance(outcome, Failed)
    assert "550 5.1.1 no such mailbox" in outcome.detail
    assert isinstance(await pool.send(a_mail()), Done)
    await pool.close()


@pytest.mark.parametrize("step", ["MAIL", "RCPT"])
@pytest.mark.parametrize("behaviour", [ServerBehaviour.DROP, ServerBehaviour.HANG])
async def test_broken_before_the_content_is_a_retry(
    mail_server: MailServer, step: str, behaviour: ServerBehaviour
) -> None:
    pool = a_pool(mail_server, smtp_timeout_seconds=1.5)
    mail_server.will(step, behaviour)
    assert isinstance(await pool.send(a_mail()), Retry)
    assert mail_server.journal == []
    assert isinstance(await pool.send(a_mail()), Done)
    await pool.close()


@pytest.mark.parametrize(
    ("behaviour", "kept"),
    [(ServerBehaviour.DROP, 0), (ServerBehaviour.KEEP_AND_DROP, 1), (ServerBehaviour.HANG, 0)],
)
async def test_broken_after_the_content_is_uncertain(
    mail_server: MailServer, behaviour: ServerBehaviour, kept: int
) -> None:
    pool = a_pool(mail_server, smtp_timeout_seconds=1.5)
    mail_server.will("DATA", behaviour)
    outcome = await pool.send(a_mail())
    assert isinstance(outcome, Uncertain)
    assert len(mail_server.journal) == kept
    assert isinstance(await pool.send(a_mail("two")), Done)
    await pool.close()


async def test_line_the_server_closed_meanwhile_costs_no_try(mail_server: MailServer) -> None:
    pool = a_pool(mail_server)
    assert isinstance(await pool.send(a_mail("one")), Done)
    mail_server.will("MAIL", ServerBehaviour.DROP)
    assert isinstance(await pool.send(a_mail("two")), Done)
    assert mail_server.message_ids == ["<one@b.example>", "<two@b.example>"]
    assert mail_server.connections == 2
    await pool.close()


async def test_unavailable_server_is_reported_and_cached_for_a_second(mail_server: MailServer) -> None:
    pool = a_pool(mail_server)
    await mail_server.close()
    with pytest.raises(ServerUnavailable, match=f"127.0.0.1:{mail_server.port}"):
        await pool.send(a_mail())
    await mail_server.open()
    with pytest.raises(ServerUnavailable):
        await pool.send(a_mail())
    assert mail_server.connections == 0


async def test_no_more_lines_than_allowed_and_each_retired_after_its_share(mail_server: MailServer) -> None:
    pool = a_pool(mail_server, smtp_connections=2, smtp_mails_per_connection=5)
    outcomes = await asyncio.gather(*(pool.send(a_mail(str(number))) for number in range(20)))
    assert all(isinstance(outcome, Done) for outcome in outcomes)
    assert sorted(mail_server.message_ids) == sorted(f"<{number}@b.example>" for number in range(20))
    assert mail_server.connections == 4
    await pool.close()


async def test_idle_line_is_retired(mail_server: MailServer) -> None:
    pool = a_pool(mail_server, smtp_idle_seconds=0.000_001)
    for name in ("one", "two"):
        assert isinstance(await pool.send(a_mail(name)), Done)
    assert mail_server.connections == 2
    await pool.close()


async def test_cancelled_mail_leaves_no_connection_behind_that_could_mix_up_answers(
    mail_server: MailServer,
) -> None:
    pool = a_pool(mail_server, smtp_connections=1)
    mail_server.will("DATA", ServerBehaviour.HANG)
    sending = asyncio.create_task(pool.send(a_mail("one")))
    async with asyncio.timeout(30):
        while mail_server.behaviours["DATA"]:
            await asyncio.sleep(0)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert isinstance(await pool.send(a_mail("two")), Done)
    assert mail_server.message_ids == ["<two@b.example>"]
    await pool.close()


async def test_starttls_that_is_not_offered_sends_nothing_in_the_clear(mail_server: MailServer) -> None:
    pool = a_pool(mail_server, smtp_security=Security.STARTTLS)
    with pytest.raises(ServerUnavailable):
        await pool.send(a_mail())
    assert mail_server.journal == []


async def test_international_address_goes_as_utf8(mail_server: MailServer) -> None:
    pool = a_pool(mail_server)
    assert isinstance(await pool.send(a_mail(recipient="zoé@clients.example")), Done)
    assert mail_server.envelopes[0][1] == ["zoé@clients.example"]
    await pool.close()


@pytest.mark.parametrize("mail_server", ["pipelining"], indirect=True)
async def test_international_address_fails_in_words_where_the_server_takes_none(
    mail_server: MailServer,
) -> None:
    mail_server.smtputf8 = False
    pool = a_pool(mail_server)
    outcome = await pool.send(a_mail(recipient="zoé@clients.example"))
    assert isinstance(outcome, Failed)
    assert outcome.detail.startswith("the mail server takes no international addresses (SMTPUTF8)")
    assert isinstance(await pool.send(a_mail(recipient='"a b"@clients.example')), Done)
    assert mail_server.envelopes == [("boutique@atelier.example", ['"a b"@clients.example'])]
    await pool.close()


@pytest.mark.parametrize(("step", "code", "kind"), [
    ("sender", 530, Retry), ("sender", 535, Retry), ("sender", 421, Retry), ("content", 250, Done),
    ("content", 552, Failed), ("content", 299, Uncertain), ("content", 354, Uncertain), ("data", 250, Retry),
])  # fmt: skip
def test_verdict(step: str, code: int, kind: type[object]) -> None:
    assert type(Answer(step, code, "said\udcff so\x00").outcome()) is kind


def test_detail_can_be_stored_whatever_the_server_answers() -> None:
    outcome = Answer("content", 550, "no\udcff\x00\r\nway").outcome()
    assert outcome.detail == "content: 550 no way"


def test_password_shows_nowhere() -> None:
    settings: NotifierSettings = settings_for(smtp_username="u", smtp_password="hunter2-hunter2")
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize("pipelining", [False, True])
def test_every_fate_on_the_loop_of_production(pipelining: bool) -> None:
    async def all_fates() -> list[type[object]]:
        server = await MailServer(pipelining=pipelining).open()
        server.will("RCPT", "451 later", "550 never", ServerBehaviour.DROP, ServerBehaviour.HANG)
        server.will(
            "DATA", ServerBehaviour.DROP, ServerBehaviour.HANG, ServerBehaviour.KEEP_AND_DROP, "451 later"
        )
        fates: list[type[object]] = []
        for _ in range(9):
            pool = a_pool(server, smtp_timeout_seconds=1.5)
            fates.append(type(await pool.send(a_mail())))
            await pool.close()
        await server.close()
        return fates

    expected = [Retry, Failed, Retry, Retry, Uncertain, Uncertain, Uncertain, Retry, Done]
    assert uvloop.run(all_fates()) == expected


async def replies_to(*packets: bytes) -> list[tuple[int, str] | str]:
    """What is heard of a server that sends these packets and closes."""

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for packet in packets:
            writer.write(packet)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    loop = asyncio.get_running_loop()
    port = server.sockets[0].getsockname()[1]
    transport, _ = await loop.create_connection(asyncio.Protocol, "127.0.0.1", port)
    protocol = SmtpProtocol(transport)
    received: list[tuple[int, str] | str] = []
    try:
        while True:
            reply = await protocol.receive()
            received.append((reply.code, reply.text))
    except (SMTPException, OSError) as end:
        received.append(type(end).__name__)
    protocol.hang_up()
    server.close()
    return received


@pytest.mark.parametrize(("packets", "received"), [
    ([b"250 a\r\n250 b\r\n354 c\r\n"], [(250, "a"), (250, "b"), (354, "c"), "SMTPServerDisconnected"]),
    ([b"250-a\r\n25", b"0 b\r\n", b"354", b"\n"], [(250, "a b"), (354, ""), "SMTPServerDisconnected"]),
    ([b"250 a\r\nhello\r\n250 b\r\n"], [(250, "a"), "SMTPResponseException"]),
    ([b"250-" + b"x" * 70_000], ["SMTPResponseException"]),
    ([], ["SMTPServerDisconnected"]),
])  # fmt: skip
async def test_replies_are_received_in_sequence(packets: list[bytes], received: list[object]) -> None:
    assert await replies_to(*packets) == received
