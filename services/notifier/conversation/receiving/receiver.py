"""The LMTP server (SMTP by choice) for mails of the inbound domain.

A mail is committed before its 250; an unknown recipient gets 550, one that the database can't look up 451, so that the
sending server keeps the mail and retries, and a mail that is too large 552; in LMTP each accepted recipient gets an
answer of its own. It listens where our own mail server reaches it, and relays nothing. With a
certificate it requires STARTTLS.
"""

import asyncio
import logging
from functools import partial
from typing import Any, ClassVar

import asyncpg
import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from services.chassis.background.workers import Worker
from services.chassis.errors import describe, places
from services.chassis.messaging.process import Process
from services.chassis.tls import OwnCertificate
from services.notifier.conversation.receiving.destinations import Destination, FindBounced, find
from services.notifier.conversation.receiving.storing import Incoming, Storage, digest_of
from services.notifier.mails import settings as configured
from services.notifier.mails.settings import InboundProtocol

log = structlog.get_logger()
logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # it logs addresses
LARGEST_BYTES = 25 * 1024 * 1024
LONGEST_LINE = 1024 * 1024
MOST_RECIPIENTS = 50
MOST_CONNECTIONS = 20
TIMEOUT_SECONDS = 60.0
DATABASE_UNAVAILABLE = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
TRY_LATER = "451 4.3.0 Temporarily unavailable; try again later"
NOBODY = "550 5.1.1 No such address"
WITHOUT_TLS = "530 5.7.0 Must issue a STARTTLS command first"
TOO_MANY = "452 4.5.3 Too many recipients"
STORED = "250 2.0.0 Stored"
REFUSED_DATA = {
    "552 Error: Too much mail data": "552 5.3.4 Message too large",
    "500 Line too long (see RFC5321 4.5.3.1.6)": "500 5.6.0 Line too long",
}
"""What aiosmtpd answers once to DATA, and what the sender gets instead."""


class _Limited(SMTP):
    """A connection that is refused while too many others are open: each may hold a mail of 25 MiB."""

    line_length_limit = LONGEST_LINE
    _open: ClassVar[set[int]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or refuse."""
        is_new = id(self) not in self._open  # STARTTLS begins the same connection a second time
        if is_new and len(self._open) >= MOST_CONNECTIONS and isinstance(transport, asyncio.WriteTransport):
            transport.write(b"421 4.3.2 Too many connections; try again later\r\n")
            transport.close()
            return
        self._open.add(id(self))
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Receive, and wait for as long again: a slow sender of a large mail is not silent."""
        super().data_received(data)
        if id(self) in self._open:
            self._reset_timeout()

    async def push(self, status: Any) -> None:
        """Answer."""
        refused = REFUSED_DATA.get(str(status))
        await super().push(status if refused is None else self._answer_to_data(refused))

    def _answer_to_data(self, answer: str) -> str:
        return answer

    def connection_lost(self, error: Exception | None) -> None:
        """End."""
        if id(self) in self._open:
            self._open.remove(id(self))
            super().connection_lost(error)


class _Lmtp(_Limited, LMTP):
    def _answer_to_data(self, answer: str) -> str:
        """Return the answer once for each accepted recipient (RFC 2033, 4.2)."""
        recipients = self.envelope.rcpt_tos if self.envelope is not None else ()
        return "\r\n".join([answer] * len(recipients))


class Dialogue:
    """What the server answers; one per connection."""

    def __init__(self, receiver: "Receiver") -> None:
        self._receiver = receiver
        self._accepted: list[Destination] = []

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Begin a mail. aiosmtpd's own demand for STARTTLS would refuse LHLO as well."""
        if self._receiver.tls is not None and session.ssl is None:
            return WITHOUT_TLS
        self._accepted = []
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept a recipient that exists."""
        if len(self._accepted) >= MOST_RECIPIENTS:
            return TOO_MANY
        try:
            found = await self._receiver.find(address)
        except DATABASE_UNAVAILABLE as error:
            log.warning("recipient lookup failed; the sender will retry", error=describe(error))
            return TRY_LATER
        if found is None:
            return NOBODY
        self._accepted.append(found)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """Store the mail for each recipient: in LMTP each gets an answer, in SMTP one that holds for all of them.

        A mail that was stored for some of them is sent again, and stored once.
        """
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        sender = "" if envelope.mail_from in (None, "<>") else str(envelope.mail_from)
        answers = await self._receiver.keep(sender, self._accepted, content)
        if isinstance(server, LMTP):
            return "\r\n".join(answers)
        return next((answer for answer in answers if answer != STORED), STORED)

    async def handle_exception(self, error: Exception) -> str:
        """Make the sender retry after an error of ours."""
        log.error("could not receive a mail", error=type(error).__name__, places=places(error))
        return TRY_LATER


class Receiver:
    """The receiver of one process."""

    def __init__(self, process: Process, find_bounced: FindBounced | None = None) -> None:
        self._process = process
        self._settings = configured.of(process)
        self._find_bounced = find_bounced
        self._storage = Storage(process)
        certificate, key = self._settings.inbound_certificate_file, self._settings.inbound_key_file
        self.tls = OwnCertificate(certificate, key).context if certificate and key else None
        self.port: int | None = None

    def worker(self) -> Worker:
        """Return the worker that listens until the process stops."""
        return Worker("receiver", self.serve)

    async def serve(self, process: Process) -> bool:
        """Listen until the process stops."""
        loop = asyncio.get_running_loop()
        settings = self._settings
        server = await loop.create_server(
            partial(self._converse, loop), settings.inbound_host, settings.inbound_port
        )
        self.port = server.sockets[0].getsockname()[1]
        try:
            await process.stopping.wait()
        finally:
            server.close()
        return False

    async def find(self, address: str) -> Destination | None:
        """Return the destination of a recipient; None when nobody is there. Raises the database's errors."""
        domain = (self._settings.inbound_domain or "").lower()
        async with self._process.acquire() as connection:
            return await find(connection, address, domain, self._settings.shops, self._find_bounced)

    async def keep(self, sender: str, destinations: list[Destination], content: bytes) -> list[str]:
        """Store a mail for each of its recipients, and return an answer for each."""
        digest = await asyncio.to_thread(digest_of, content)
        return list(
            await asyncio.gather(
                *(self._keep(Incoming(sender, one, content, digest)) for one in destinations)
            )
        )

    async def _keep(self, incoming: Incoming) -> str:
        try:
            await self._storage.keep(incoming)
        except DATABASE_UNAVAILABLE as error:
            log.warning("could not store a mail; the sender will retry", error=describe(error))
            return TRY_LATER
        except Exception as error:  # noqa: BLE001 - every recipient gets an answer
            log.error("could not receive a mail", error=type(error).__name__, places=places(error))
            return TRY_LATER
        return STORED

    def _converse(self, loop: asyncio.AbstractEventLoop) -> asyncio.Protocol:
        kind: Any = _Lmtp if self._settings.inbound_protocol is InboundProtocol.LMTP else _Limited
        return kind(
            Dialogue(self),
            data_size_limit=LARGEST_BYTES,
            enable_SMTPUTF8=True,
            hostname=self._settings.inbound_domain or "localhost",
            ident="Comptoir",
            timeout=TIMEOUT_SECONDS,
            loop=loop,
            tls_context=self.tls,
        )
