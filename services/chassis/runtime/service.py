"""The parts of a service's program, as a service declares them in its `app.py`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from services.chassis.background.effects import EffectWorker
from services.chassis.background.retention import Rule
from services.chassis.background.workers import TimerHandler, Worker
from services.chassis.messaging.subscribers import Subscribers
from services.chassis.runtime.hub import Hub
from services.chassis.settings import ServiceSettings

Command = Callable[[Any, Sequence[str]], int]
"""A command of a service: it gets the settings and the arguments after its name, and returns the exit status."""


Check = Callable[[Any], Awaitable[None]]
"""A check at start of a dependency of the service's own; it gets the settings, and raises StartRefused."""


@dataclass(frozen=True)
class Service:
    """The parts of a service's program. `app` builds its own HTTP application.

    A process that does not consume (`consumes=False`) works beside the one that does, on the same database
    and under its name on the wire: it has units, a relay and its own workers, but does not handle messages,
    retries and timers. `name` is then its own, for logs and connections, and `module` is the argument of
    `python -m`. `commands` are further words on its command line. A process that `is_public` is exposed to
    the public: it serves no operators' routes and no metrics there, only health and its own application.
    """

    name: str
    settings: type[ServiceSettings]
    subscribers: Subscribers[Any]
    app: Callable[[Hub], ASGIApp] | None = None
    workers: Sequence[Worker] = ()
    effects: Sequence[EffectWorker] = ()
    timers: Mapping[str, TimerHandler] = field(default_factory=dict)
    prepare: Callable[[Hub], Sequence[Worker]] | None = None
    retention: Sequence[Rule] = ()
    consumes: bool = True
    is_public: bool = False
    module: str | None = None
    migrations_folder: str = "migrations"
    checks: Sequence[Check] = ()
    commands: Mapping[str, Command] = field(default_factory=dict)

    @property
    def program(self) -> str:
        """Return the argument of `python -m`."""
        return self.module or f"services.{self.name}"

    @property
    def migrations(self) -> Path:
        """Return the folder of the service's own migrations; the chassis' are applied first."""
        return Path(__file__).parents[2] / self.subscribers.service / self.migrations_folder
