"""Messages handed to the mail server over a few kept connections, and the outcome of each: sent, not sent,
unknown.

SMTP has no idempotency (RFC 5321, 4.2.5 and 6.1): once the final dot has been sent, only the server's answer
shows whether it accepted the message. So a connection lost before that is a Retry and one lost after it is
Uncertain. aiosmtplib's own `sendmail` does not distinguish the two; it sets the connection up and `protocol`
continues from there. One connection carries one message at a time. The addresses were validated when the
message was composed (`composing`).
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Container
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

import structlog
from aiosmtplib import SMTP, SMTPException, SMTPServerDisconnected

from services.chassis.background.effects import Done, Failed, Outcome, Retry, Uncertain
from services.chassis.failpoints import reach
from services.notifier.mails.compose.composing import MailMessage
from services.notifier.mails.compose.screening import one_line
from services.notifier.mails.settings import NotifierSettings, Security
from services.notifier.sending.protocol import SmtpProtocol

log = structlog.get_logger()
_UNAVAILABLE_SECONDS = 1.0
"""Pause after a failed connect during which no other is attempted."""
_HANG_UP_SECONDS = 2.0
_OUR_FAULT = frozenset({530, 534, 535, 538})
"""Reply codes about our log-in or encryption, not about the message (RFC 4954, 6; RFC 3207)."""
_MAILBOX = frozenset({550, 551, 552, 553})
"""Replies to a recipient that are about its mailbox (RFC 5321, 4.3.2)."""


class ServerUnavailable(Exception):
    """The mail server can't be reached, rejects our login or violates the protocol. No message was sent."""

    def __init__(self, server: str, why: str) -> None:
        super().__init__(f"mail server {server} can't be used: {why}; check COMPTOIR_SMTP_… and the server")


@dataclass(frozen=True, slots=True)
class Answer:
    """The server's answer to a step that ended a message."""

    step: str
    code: int
    text: str

    def outcome(self) -> Outcome:
        """Return the outcome of a reply to the content. 2xx: sent. 4xx: not now. 5xx: never, unless it is
        about our connection and not the message.
        """
        detail = one_line(f"{self.step}: {self.code} {self.text}")[:900]
        if self.step == "content" and self.code == 250:
            return Done(detail)
        if 400 <= self.code < 500 or self.code in _OUR_FAULT:
            return Retry(detail)
        if 500 <= self.code < 600:
            return Failed(detail, is_own=self._is_about_recipient())
        return Uncertain(detail) if self.step == "content" else Retry(detail)

    def _is_about_recipient(self) -> bool:
        """Return whether the server rejects this mailbox. 5.7 is its policy (RFC 3463, 3.8), such as "relay
        access denied".
        """
        return (
            self.step == "recipient" and self.code in _MAILBOX and not self.text.lstrip().startswith("5.7.")
        )


class SmtpConnection:
    """One connection. `whole_sent` is whether the current message was sent up to its last dot."""

    def __init__(self, protocol: SmtpProtocol, extensions: Container[str]) -> None:
        self.protocol = protocol
        self.carried = 0
        self.idle_since = 0.0
        self.whole_sent = False
        self._extensions = extensions
        self._at_once = "pipelining" in extensions

    async def carry(self, message: MailMessage) -> Answer:
        """Hand over one message. Raises SMTPException or OSError when the connection breaks."""
        self.carried += 1
        self.whole_sent = False
        refusal = await self._introduce(message)
        if refusal is not None:
            return refusal
        reach("mail_introduced")
        self.protocol.send(message.content.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        self.whole_sent = True
        reach("mail_whole")
        reply = await self.protocol.receive()
        return Answer("content", reply.code, reply.text)

    def takes(self, message: MailMessage) -> bool:
        """Return whether the server supports such an address."""
        return not message.international or "smtputf8" in self._extensions

    async def _introduce(self, message: MailMessage) -> Answer | None:
        """Send sender, recipient and DATA, in one packet where the server allows; return its rejection, if any."""
        steps = self._steps(message)
        if self._at_once:
            self.protocol.send(b"".join(command for _, _, command in steps))
        refusal = None
        for step, good, command in steps:
            if not self._at_once:
                self.protocol.send(command)
            reply = await self.protocol.receive()
            if reply.code // 100 != good:
                refusal = Answer(step, reply.code, reply.text)
                break
        if refusal is not None:
            await self._start_afresh(refusal)
        return refusal

    def _steps(self, message: MailMessage) -> tuple[tuple[str, int, bytes], ...]:
        options = f" SIZE={len(message.content)}" if "size" in self._extensions else ""
        if message.international:
            options += " BODY=8BITMIME SMTPUTF8"
        return (
            ("sender", 2, f"MAIL FROM:<{message.sender}>{options}\r\n".encode()),
            ("recipient", 2, f"RCPT TO:<{message.recipient}>\r\n".encode()),
            ("data", 3, b"DATA\r\n"),
        )

    async def _start_afresh(self, refusal: Answer) -> None:
        """Reset the connection for the next message, or close it if replies are still to come or on 421."""
        if refusal.code == 421 or (self._at_once and refusal.step != "data"):
            self.protocol.hang_up()
            return
        with suppress(SMTPException, OSError):
            self.protocol.send(b"RSET\r\n")
            await self.protocol.receive()


class Pool:
    """Pool of up to `smtp_connections` connections to the mail server, opened when needed and kept for a while."""

    def __init__(self, settings: NotifierSettings) -> None:
        self._settings = settings
        self._server = f"{settings.smtp_host}:{settings.smtp_port}"
        self._free = asyncio.Semaphore(settings.smtp_connections)
        self._idle: deque[SmtpConnection] = deque()
        self._unavailable_until = 0.0
        self._unavailable_reason = self._logged = ""
        self._tls = (
            None
            if settings.smtp_security is Security.NONE
            else ssl.create_default_context(cafile=settings.smtp_ca_file)
        )

    async def send(self, message: MailMessage) -> Outcome:
        """Return the outcome of the message. Raises ServerUnavailable when the server could not be reached at all."""
        async with self._free:
            connection = await self._idle_connection()
            if connection is None:
                return await self._carry(await self._connect(), message)
            outcome = await self._carry(connection, message)
            if isinstance(outcome, Retry) and not connection.protocol.is_open and connection.carried > 1:
                # The server had closed a connection that looked open: nothing was sent, so a new one may try
                # at once.
                return await self._carry(await self._connect(), message)
            return outcome

    async def close(self) -> None:
        """Send QUIT on every idle connection."""
        while self._idle:
            await _hang_up(self._idle.pop())

    async def _carry(self, connection: SmtpConnection, message: MailMessage) -> Outcome:
        if not connection.takes(message):
            self._keep(connection)
            return Failed(
                f"the mail server takes no international addresses (SMTPUTF8): {message.recipient}",
                is_own=True,
            )
        try:
            async with asyncio.timeout(self._settings.smtp_timeout_seconds):
                answer = await connection.carry(message)
        except (SMTPException, OSError) as error:
            connection.protocol.hang_up()
            if connection.whole_sent:
                return Uncertain(f"no answer after the whole letter was sent: {_reason(error)}")
            return Retry(f"connection lost before the letter was sent: {_reason(error)}")
        except Exception as error:  # noqa: BLE001 - its fate is known by how far it came
            connection.protocol.hang_up()
            reason = _reason(error)
            if connection.whole_sent:
                return Uncertain(f"no answer after the whole letter was sent: {reason}")
            return Failed(f"the letter can't be handed over: {reason}")
        except BaseException:  # e.g. cancelled: the server's answer would be the next message's
            connection.protocol.hang_up()
            raise
        outcome = answer.outcome()
        if isinstance(outcome, Done):
            reach("mail_accepted")
        self._keep(connection)
        return outcome

    def _keep(self, connection: SmtpConnection) -> None:
        if connection.protocol.is_open:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.append(connection)

    async def _idle_connection(self) -> SmtpConnection | None:
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection = self._idle.pop()
            if not connection.protocol.is_open:
                continue
            rested = now - connection.idle_since > self._settings.smtp_idle_seconds
            if not rested and connection.carried < self._settings.smtp_mails_per_connection:
                return connection
            await _hang_up(connection)
        return None

    async def _connect(self) -> SmtpConnection:
        now = asyncio.get_running_loop().time()
        if now < self._unavailable_until:
            raise ServerUnavailable(self._server, self._unavailable_reason)
        smtp = self._client()
        try:
            async with asyncio.timeout(self._settings.smtp_timeout_seconds):
                await smtp.connect()
                await smtp.ehlo()
            self._logged = ""
            return _connection(smtp)
        except (SMTPException, OSError) as error:
            smtp.close()
            self._unavailable_until = asyncio.get_running_loop().time() + _UNAVAILABLE_SECONDS
            self._unavailable_reason = _reason(error)
            if self._logged != self._unavailable_reason:  # once for each outage and reason
                self._logged = self._unavailable_reason
                log.warning("mail server can't be used", server=self._server, error=self._logged)
            raise ServerUnavailable(self._server, self._unavailable_reason) from error

    def _client(self) -> SMTP:
        settings = self._settings
        return SMTP(
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_username,
            password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
            local_hostname=settings.smtp_hello_name,
            timeout=settings.smtp_timeout_seconds,
            use_tls=settings.smtp_security is Security.TLS,
            start_tls=settings.smtp_security is Security.STARTTLS,
            tls_context=self._tls,
        )


def _connection(smtp: SMTP) -> SmtpConnection:
    """Return our connection on the one that aiosmtplib has set up."""
    if smtp.transport is None:
        raise SMTPServerDisconnected("connection lost after EHLO")
    # Not asyncio.Transport to isinstance: uvloop's transports have its methods and are no subclass.
    return SmtpConnection(
        SmtpProtocol(cast("asyncio.Transport", smtp.transport)), frozenset(smtp.esmtp_extensions)
    )


async def _hang_up(connection: SmtpConnection) -> None:
    with suppress(SMTPException, OSError):
        async with asyncio.timeout(_HANG_UP_SECONDS):
            connection.protocol.send(b"QUIT\r\n")
            await connection.protocol.receive()
    connection.protocol.hang_up()


def _reason(error: Exception) -> str:
    return one_line(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)[:500]


def retry_delay(attempts: int) -> timedelta:
    """Return how long a message waits after its n-th try at an unavailable server: 1 s, doubling to a minute."""
    return timedelta(seconds=min(60.0, 2.0 ** min(attempts - 1, 6)))
