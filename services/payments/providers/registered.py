"""The registered payment providers: their settings, and the providers made from them.

Another provider is a folder beside `stripe` with a class for its settings, its `EndpointForm`, and a class that
implements `Provider`, and their names in the places below.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Self

from pydantic import model_validator

from services.payments.providers.endpoint_form import EndpointForm
from services.payments.providers.in_force import ProvidersInForce
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


class ProviderSettings(StripeSettings, PaypalSettings):
    """The settings of all providers."""

    @cached_property
    def providers(self) -> ProvidersInForce:
        """Return the providers by name, made once per process so that connections and tokens are shared."""
        return ProvidersInForce(NAMES, self._provider)

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
