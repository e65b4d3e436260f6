"""The demo's mail server, and a receiver that keeps answers or refuses them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiosmtpd.lmtp import LMTP


class AnswersReceiver:
    """An LMTP server. `mails` are the envelopes that it took; `refusal` answers recipients if set."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.refusal: str | None = None
        self.port = 0

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Take a recipient or refuse it."""
        if self.refusal is not None:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's
        """Keep the mail."""
        self.mails.append(envelope)
        return "250 2.0.0 Stored"


@asynccontextmanager
async def answers_receiver() -> AsyncIterator[AnswersReceiver]:
    """A receiver that listens."""
    receiver = AnswersReceiver()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: LMTP(receiver, loop=loop), "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
