"""The rendering program as the service uses it: started when needed, ended when idle, replaced when it dies."""

import asyncio
import base64
import contextlib
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from typing import Any

from services.payments.invoices.document import Content

LENGTH_BYTES = 4
IDLE_SECONDS = 30.0
PATIENCE_SECONDS = 60.0
_MODULE = "services.payments.invoices.rendering"


class RenderingFailed(Exception):
    """The program refused a request, or died of it; the text is its own."""


class Renderer:
    """One rendering program, and the requests that wait for it."""

    def __init__(self, idle_seconds: float = IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._turn = asyncio.Lock()
        self._program: Process | None = None
        self._ending: asyncio.TimerHandle | None = None

    async def pdf(self, content: Content, logo: bytes | None) -> bytes:
        """Return the PDF of a document. Raises RenderingFailed."""
        encoded = base64.b64encode(logo).decode() if logo else None
        return await self._ask({"content": content.model_dump(mode="json"), "logo": encoded})

    async def check_logo(self, logo: bytes) -> None:
        """Have a logo drawn. Raises RenderingFailed when that is not possible."""
        await self._ask({"check_logo": base64.b64encode(logo).decode()})

    async def merged(self, files: Sequence[bytes]) -> bytes:
        """Return several PDFs as one. Raises RenderingFailed."""
        return await self._ask({"merge": [base64.b64encode(one).decode() for one in files]})

    async def close(self) -> None:
        """End the program."""
        if self._ending is not None:
            self._ending.cancel()
        program, self._program = self._program, None
        if program is not None and program.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                program.kill()
            await program.wait()

    async def _ask(self, request: dict[str, Any]) -> bytes:
        async with self._turn:
            if self._ending is not None:
                self._ending.cancel()
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    return await self._exchange(json.dumps(request).encode())
            except (OSError, EOFError, TimeoutError) as error:
                await self.close()
                raise RenderingFailed(f"the rendering program ended: {type(error).__name__}") from error
            except asyncio.CancelledError:
                await self.close()  # its answer would be taken for that of the next request
                raise
            finally:
                loop = asyncio.get_running_loop()
                self._ending = loop.call_later(self._idle_seconds, self._end_idle)

    async def _exchange(self, request: bytes) -> bytes:
        program = await self._started()
        assert program.stdin is not None
        assert program.stdout is not None
        program.stdin.write(len(request).to_bytes(LENGTH_BYTES, "big") + request)
        await program.stdin.drain()
        status = await program.stdout.readexactly(1)
        length = int.from_bytes(await program.stdout.readexactly(LENGTH_BYTES), "big")
        answer = await program.stdout.readexactly(length)
        if status != b"\x01":
            raise RenderingFailed(answer.decode(errors="replace"))
        return answer

    async def _started(self) -> Process:
        if self._program is None or self._program.returncode is not None:
            self._program = await asyncio.create_subprocess_exec(
                sys.executable, "-m", _MODULE, stdin=PIPE, stdout=PIPE
            )
        return self._program

    def _end_idle(self) -> None:
        """Close its input; it ends by itself."""
        if not self._turn.locked() and self._program is not None and self._program.stdin is not None:
            self._program.stdin.close()
            self._program = None
