"""The registered payment providers: their settings, and the providers made from them, with the active endpoints: those
of the settings and, beside them, those set in the back office.

There is one `ActiveProviders` per process, held by the receiver, the workers and the pages: a provider whose endpoints
change is replaced in it while the process runs. Calls in progress finish with the provider they began with, which is
closed a while later.

Another provider is a folder beside `stripe` with a class for its settings, its `EndpointForm`, and a class that
implements `Provider`, and their names in the places below.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from pydantic import model_validator

from contracts.message import Reason
from services.payments.providers.endpoint_form import EndpointForm
from services.payments.providers.paypal.provider import PaypalProvider
from services.payments.providers.paypal.settings import PaypalForm, PaypalSettings
from services.payments.providers.port import Endpoint, Provider
from services.payments.providers.stripe.provider import StripeProvider
from services.payments.providers.stripe.settings import StripeForm, StripeSettings

_KINDS: tuple[type[StripeProvider] | type[PaypalProvider], ...] = (StripeProvider, PaypalProvider)
NAMES = tuple(kind.name for kind in _KINDS)
"""The names of the registered providers; refunds can be sent to each of them."""
OLDEST_FIRST = frozenset(kind.name for kind in _KINDS if kind.refunds_oldest_first)
"""Those whose oldest payment is refunded first: they take refunds of a payment for a limited time."""
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


class ActiveProviders(Mapping[str, Provider]):
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


class ProviderSettings(StripeSettings, PaypalSettings):
    """The settings of all providers."""

    @cached_property
    def providers(self) -> ActiveProviders:
        """Return the providers by name, made once per process so that connections and tokens are shared."""
        return ActiveProviders(NAMES, self._provider)

    @property
    def endpoints(self) -> Iterator[tuple[Provider, Endpoint]]:
        """Return every active endpoint with its provider."""
        return self.providers.endpoints

    @cached_property
    def endpoint_forms(self) -> Mapping[str, EndpointForm]:
        """Return the parts of each provider's endpoints, for those that people enter."""
        return {
            StripeProvider.name: StripeForm(),
            PaypalProvider.name: PaypalForm(has_standin=self.has_paypal_standin),
        }

    @property
    def own_endpoints(self) -> Mapping[str, Sequence[Endpoint]]:
        """Return the endpoints of the environment, by provider."""
        return {name: getattr(self, form.setting) for name, form in self.endpoint_forms.items()}

    def _provider(self, name: str, further: Sequence[Endpoint]) -> Provider:
        field = self.endpoint_forms[name].setting
        settings = self.model_copy(update={field: (*getattr(self, field), *further)})
        return next(kind for kind in _KINDS if kind.name == name)(settings)

    @model_validator(mode="after")
    def _slugs_differ(self) -> Self:
        known: dict[str, str] = {}
        for provider, endpoint in self.endpoints:
            if (setting := known.get(endpoint.slug)) is not None:
                both = f"{setting} and {provider.setting}"
                raise ValueError(f"{both}: two endpoints have the same slug; give each its own")
            known[endpoint.slug] = provider.setting
        return self
