"""The providers with the active endpoints: those of the settings and, beside them, those set in the back office.

One object per process, held by the receiver, the workers and the pages: a provider whose endpoints change is
replaced in it while the process runs. Calls in progress finish with the provider they began with, which is
closed a while later.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.message import Reason
from services.payments.providers.port import Endpoint, Provider

RETIRED_SECONDS = 900.0
"""Longer than any call to a provider, and than the comparison of one of its lists."""
Make = Callable[[str, Sequence[Any]], Provider]
"""Makes a provider, by its name, with further endpoints beside those of the settings."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The endpoints of the database as they were read last. `version` changes with each change of them; `faults`
    are the reasons for which some are not active, by slug.
    """

    version: object
    endpoints: Mapping[str, Sequence[Endpoint]]
    faults: Mapping[str, Reason]


class ProvidersInForce(Mapping[str, Provider]):
    """The providers by name. `stored` is None until the database was read."""

    def __init__(self, names: Sequence[str], make: Make) -> None:
        self._make = make
        self._providers = {name: make(name, ()) for name in names}
        self._retired: list[tuple[float, Provider]] = []
        self.stored: Stored | None = None

    def __getitem__(self, name: str) -> Provider:
        return self._providers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._providers)

    def __len__(self) -> int:
        return len(self._providers)

    @property
    def endpoints(self) -> Iterator[tuple[Provider, Endpoint]]:
        """Return every endpoint with its provider."""
        for provider in self._providers.values():
            for endpoint in provider.endpoints.values():
                yield provider, endpoint

    def knows(self, provider: str, slug: str) -> bool:
        """Return whether the provider has an endpoint of this slug."""
        return provider in self._providers and slug in self._providers[provider].endpoints

    def use(self, stored: Stored) -> None:
        """Activate the endpoints of the database, in place of those read before."""
        before = self.stored.endpoints if self.stored else {}
        for name, provider in self._providers.items():
            endpoints = tuple(stored.endpoints.get(name, ()))
            if endpoints != tuple(before.get(name, ())):
                self._providers[name] = self._make(name, endpoints)
                self._retired.append((time.monotonic() + RETIRED_SECONDS, provider))
        self.stored = stored

    async def close_retired(self) -> None:
        """Close the replaced providers that no call can be using any more."""
        now = time.monotonic()
        over = [provider for due_at, provider in self._retired if due_at <= now]
        self._retired = [pair for pair in self._retired if pair[0] > now]
        for provider in over:
            await provider.close()

    async def close(self) -> None:
        """Close all connections to the providers."""
        for provider in (*self._providers.values(), *(one for _, one in self._retired)):
            await provider.close()
        self._retired = []
