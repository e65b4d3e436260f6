"""A real SMTP server (aiosmtpd, over TCP) that does on demand what real ones do on bad days, and keeps a journal."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from enum import Enum
from typing import Any, Self, cast

from aiosmtpd.smtp import SMTP


class ServerBehaviour(Enum):
    """What the server does instead of answering a step."""

    DROP = "the connection is cut"
    HANG = "no answer ever comes"
    KEEP_AND_DROP = "the mail is kept, then the connection is cut"


@dataclass
class MailServer:
    """Answers `MAIL`, `RCPT` and `DATA` as `moods` say, one entry per command, and accepts once they are used up."""

    options: dict[str, Any] = field(default_factory=dict)
    pipelining: bool = False
    smtputf8: bool = True
    port: int = 0
    journal: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    connections: int = 0
    behaviours: dict[str, deque[str | ServerBehaviour]] = field(default_factory=dict)
    _server: asyncio.Server | None = None
    _sessions: list[SMTP] = field(default_factory=list)

    def will(self, step: str, *behaviours: str | ServerBehaviour) -> Self:
        """The next commands of this step are answered so: a reply such as `451 later`, or a Mood."""
        self.behaviours.setdefault(step, deque()).extend(behaviours)
        return self

    async def open(self) -> Self:
        """Listen on 127.0.0.1, on the port of last time if there was one."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._session, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def close(self) -> None:
        """Stop listening and cut every connection."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        for session in self._sessions:
            _cut(session)
        self._sessions.clear()

    @property
    def message_ids(self) -> list[str]:
        """The Message-IDs of the kept mails, in sequence."""
        return [str(mail["Message-ID"]) for mail in self.journal]

    async def handle_EHLO(  # noqa: N802
        self, _server: SMTP, session: Any, _envelope: Any, hostname: str, replies: list[str]
    ) -> list[str]:
        """The greeting, with what the server can do."""
        session.host_name = hostname
        return [*replies[:-1], "250-PIPELINING", replies[-1]] if self.pipelining else replies

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, _session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """The sender."""
        answer = await self._answer(server, "MAIL")
        if answer == "250 OK":
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return answer

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        """A recipient."""
        answer = await self._answer(server, "RCPT")
        if answer == "250 OK":
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, _session: Any, envelope: Any) -> str:  # noqa: N802
        """The content, complete."""
        if self._next("DATA") in (None, ServerBehaviour.KEEP_AND_DROP):
            self.journal.append(message_from_bytes(envelope.content, policy=policy.default))
            self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        return await self._answer(server, "DATA")

    def _session(self) -> SMTP:
        self.connections += 1
        session = SMTP(self, hostname="mail.example", enable_SMTPUTF8=self.smtputf8, **self.options)
        self._sessions.append(session)
        return session

    def _next(self, step: str) -> str | ServerBehaviour | None:
        waiting = self.behaviours.get(step)
        return waiting[0] if waiting else None

    async def _answer(self, server: SMTP, step: str) -> str:
        behaviour = self._next(step)
        if behaviour is not None:
            self.behaviours[step].popleft()
        if isinstance(behaviour, str):
            return behaviour
        if behaviour is ServerBehaviour.HANG:
            await asyncio.Event().wait()
        if behaviour is not None:
            _cut(server)
        return "250 OK"


def _cut(session: SMTP) -> None:
    if session.transport is not None:
        cast("asyncio.Transport", session.transport).abort()
