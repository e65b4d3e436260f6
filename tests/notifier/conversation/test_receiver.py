"""The receiver's protocols and limits: LMTP and SMTP, connections, sizes, silence."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from services.chassis.testing import Desk, wait_until
from services.notifier.conversation.receiving import receiver
from services.notifier.conversation.receiving.receiver import LARGEST_BYTES, Receiver
from services.notifier.conversation.receiving.storing import Incoming, Storage
from tests.conftest import Desks
from tests.notifier.conversation.builders import DOMAIN, reply_address
from tests.notifier.conversation.receiving import a_receiver, a_receiving_desk, an_answer, read_all
from tests.notifier.conversation.test_receiving import an_open_thread, messages

pytestmark = pytest.mark.rows("C23")
UNKNOWN = f"r-{'a' * 26}@{DOMAIN}"


class Client:
    """A mail server that speaks to the receiver, line by line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def code(self) -> str:
        """The first word of the next answer, of whose lines the last counts; "" when the connection is closed."""
        async with asyncio.timeout(30):
            while (line := await self.reader.readline())[3:4] == b"-":
                pass
        return line[:9].decode().strip() if line[4:5].isdigit() and line[5:6] == b"." else line[:3].decode()

    async def command(self, line: str) -> str:
        """Send a command; the answer."""
        self.writer.write(f"{line}\r\n".encode())
        await self.writer.drain()
        return await self.code()

    async def send(self, content: bytes) -> None:
        """Send the content of a mail to its end."""
        for at in range(0, len(content), 1 << 20):
            self.writer.write(content[at : at + (1 << 20)])
            await self.writer.drain()
        self.writer.write(b".\r\n")

    async def begin(self, hello: str, recipients: Sequence[str]) -> list[str]:
        """Say hello and name the recipients; their answers."""
        assert await self.command(f"{hello} tests") == "250"
        assert await self.command("MAIL FROM:<zoe@clients.example>") == "250 2.1.0"
        return [await self.command(f"RCPT TO:<{one}>") for one in recipients]


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("protocol", "hello", "wrong", "answers"),
    [("lmtp", "LHLO", "EHLO", ["250 2.0.0", "250 2.0.0"]), ("smtp", "EHLO", "LHLO", ["250 2.0.0"])],
)
async def test_each_protocol_has_its_greeting_and_its_number_of_answers(
    desks: Desks, protocol: str, hello: str, wrong: str, answers: list[str]
) -> None:
    desk = await a_receiving_desk(desks, inbound_protocol=protocol)
    one, other = await an_open_thread(desk), await an_open_thread(desk)
    addresses = (reply_address(one), UNKNOWN, reply_address(other))
    async with a_receiver(desk) as port, connected(port) as client:
        assert await client.code() == "220"
        assert await client.command(f"{wrong} tests") == "500"
        assert await client.begin(hello, addresses) == ["250 2.1.5", "550 5.1.1", "250 2.1.5"]
        assert await client.command("DATA") == "354"
        await client.send(an_answer())
        assert [await client.code() for _ in answers] == answers
        assert await client.command("QUIT") == "221"
        await read_all(desk)
    assert await messages(desk, one) == await messages(desk, other) == [("customer", "Oui", False)]


async def test_in_smtp_one_recipient_that_could_not_be_stored_has_all_sent_again_and_stored_once(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await a_receiving_desk(desks, inbound_protocol="smtp")
    one, other = await an_open_thread(desk), await an_open_thread(desk)
    fails = {reply_address(other)}
    keep = Storage.keep

    async def sometimes(storage: Storage, incoming: Incoming) -> None:
        if incoming.destination.address in fails:
            fails.clear()
            raise OSError("no answer")
        await keep(storage, incoming)

    monkeypatch.setattr(Storage, "keep", sometimes)
    async with a_receiver(desk) as port, connected(port) as client:
        await client.code()
        for expected in ("451 4.3.0", "250 2.0.0"):
            await client.begin("EHLO", (reply_address(one), reply_address(other)))
            await client.command("DATA")
            await client.send(an_answer())
            assert await client.code() == expected
        await read_all(desk)
    assert await messages(desk, one) == await messages(desk, other) == [("customer", "Oui", False)]


@pytest.mark.parametrize(("protocol", "hello", "count"), [("lmtp", "LHLO", 2), ("smtp", "EHLO", 1)])
@pytest.mark.parametrize(
    ("content", "code"),
    [(b"a" * 998 + b"\r\n", "552 5.3.4"), (b"a" * (LARGEST_BYTES // 8) + b"\r\n", "500 5.6.0")],
    ids=["too large", "one line"],
)
async def test_a_mail_above_a_limit_is_refused_for_each_recipient_though_it_announced_nothing(
    desks: Desks, protocol: str, hello: str, count: int, content: bytes, code: str
) -> None:
    desk = await a_receiving_desk(desks, inbound_protocol=protocol)
    one, other = await an_open_thread(desk), await an_open_thread(desk)
    times = LARGEST_BYTES // len(content) + 1 if code.startswith("552") else 1
    async with a_receiver(desk) as port, connected(port) as client:
        await client.code()
        await client.begin(hello, (reply_address(one), reply_address(other)))
        assert await client.command("DATA") == "354"
        await client.send(content * times)
        assert [await client.code() for _ in range(count)] == [code] * count
        assert await client.command("MAIL FROM:<zoe@clients.example>") == "250 2.1.0", (
            "the next mail is received"
        )
    assert await desk.fetchval("SELECT count(*) FROM inbound_mail") == 0


async def test_connections_above_the_limit_get_a_response_to_retry_later(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "MOST_CONNECTIONS", 2)
    desk = await a_receiving_desk(desks)
    async with a_receiver(desk) as port, connected(port) as one:
        assert await one.code() == "220"
        async with connected(port) as other:
            assert await other.code() == "220"
            async with connected(port) as third:
                assert [await third.code(), await third.code()] == ["421 4.3.2", ""]
            assert await other.command("NOOP") == "250"

        async def is_free() -> bool:
            async with connected(port) as again:
                return await again.code() == "220"

        await wait_until(is_free)


async def test_a_silent_sender_is_cut_off_and_a_slow_one_is_not(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "TIMEOUT_SECONDS", 0.8)
    desk = await a_receiving_desk(desks)
    order = await an_open_thread(desk)
    async with a_receiver(desk) as port, connected(port) as silent, connected(port) as slow:
        for client in (silent, slow):
            await client.code()
            await client.begin("LHLO", (reply_address(order),))
            assert await client.command("DATA") == "354"
        silent.writer.write(b"Subject: ")
        for line in an_answer().splitlines(keepends=True):
            slow.writer.write(line)
            assert not await _has_answered(slow, 0.2)
        slow.writer.write(b".\r\n")
        assert await slow.code() == "250 2.0.0"
        assert await silent.code() == ""
        await read_all(desk)
    assert await messages(desk, order) == [("customer", "Oui", False)]


async def _has_answered(client: Client, seconds: float) -> bool:
    """Whether the receiver says something, or hangs up, within so many seconds."""
    try:
        await asyncio.wait_for(client.reader.read(1), seconds)
    except TimeoutError:
        return False
    return True


async def test_the_receiver_of_a_stopped_process_listens_no_more(desks: Desks) -> None:
    desk: Desk = await a_receiving_desk(desks)
    one = Receiver(desk.hub)
    serving = asyncio.create_task(one.serve(desk.hub))
    await wait_until(lambda: one.port is not None)
    assert one.port is not None
    async with connected(one.port) as client:
        assert await client.code() == "220"
    desk.hub.stopping.set()
    assert await serving is False
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", one.port)
