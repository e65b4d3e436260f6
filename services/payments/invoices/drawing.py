"""The effect that makes a document's PDF from its frozen content and stores it, in the rendering program.

Making it has no effect outside and always gives the same bytes, so it is simply repeated after a death; a
document is drawn without its logo at the last attempt, and one that can't be drawn at all ends as failed, for
staff to see.
"""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID

from services.chassis.background.effects import UNLIMITED, Done, Effect, EffectWorker, Failed, Outcome, Retry
from services.chassis.background.workers import Worker
from services.chassis.messaging.process import Process
from services.chassis.messaging.unit import Unit
from services.payments.invoices import store
from services.payments.invoices.document import read
from services.payments.invoices.issuing.worker import PDF_EFFECT
from services.payments.invoices.rendering.process import Renderer, RenderingFailed

ATTEMPTS = 5
_PAUSE = timedelta(seconds=2)


class PdfMaker:
    """The maker of PDFs of this process."""

    def __init__(self, process: Process, renderer: Renderer) -> None:
        self._process = process
        self._renderer = renderer
        self._made: dict[str, bytes] = {}
        self.effects = EffectWorker(
            PDF_EFFECT, self.perform, self.record, concurrency=4, attempts=UNLIMITED, interrupted=_again
        )

    def worker(self) -> Worker:
        """Return the worker that makes the PDFs that are due."""
        return Worker(PDF_EFFECT, self.effects.run)

    async def perform(self, effect: Effect) -> Outcome:
        """Make one PDF; it is stored when the outcome is recorded."""
        async with self._process.acquire() as connection:
            text = await store.read_content(connection, UUID(effect.key))
            if text is None:
                return Failed(f"no document {effect.key}")
            content = read(text)
            logo = await store.read_logo(connection, content.seller.logo) if content.seller.logo else None
        try:
            shown = logo if effect.attempts < ATTEMPTS else None
            self._made[effect.key] = await self._renderer.pdf(content, shown)
        except RenderingFailed as failed:
            return _again(effect, str(failed))
        return Done()

    async def record(self, unit: Unit, results: Sequence[tuple[Effect, Outcome]]) -> None:
        """Store the PDFs. Runs in the transaction that settles the effects."""
        rows = [
            store.PdfRow(UUID(effect.key), pdf, hashlib.sha256(pdf).hexdigest())
            for effect, outcome in results
            if isinstance(outcome, Done) and (pdf := self._made.get(effect.key)) is not None
        ]
        await store.insert_pdfs(unit.writes, rows, unit.now)
        unit.after_commit(partial(self._forget, [effect.key for effect, _ in results]))

    def _forget(self, keys: Sequence[str]) -> None:
        for key in keys:
            self._made.pop(key, None)


def _again(effect: Effect, why: str) -> Outcome:
    return Failed(why[:900]) if effect.attempts >= ATTEMPTS else Retry(why[:900], _PAUSE)
