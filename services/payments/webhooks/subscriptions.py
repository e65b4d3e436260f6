"""The events that each endpoint must be subscribed to, compared with those it has at its provider.

`python -m services.payments webhooks-check` prints what is missing and ends with 1 if anything is, or could
not be compared; the HTTP answer has the same for a page. Reads from the provider only.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import asyncpg

from services.payments.endpoints.loading import refresh
from services.payments.providers.needed import not_subscribed
from services.payments.providers.port import (
    CredentialMissing,
    Endpoint,
    EndpointMissing,
    Provider,
    ProviderRefused,
    ProviderUnavailable,
)
from services.payments.settings import PaymentsSettings

COMMAND = "webhooks-check"


@dataclass(frozen=True, slots=True)
class Subscription:
    """One endpoint: the events it needs, those of them it is not subscribed to, or why that is not known."""

    provider: str
    endpoint: str
    shop: str
    needed: list[str]
    missing: list[str]
    error: str | None = None
    outcome: str = "complete"
    """complete, incomplete, or why it is not known: credential_missing, not_found, refused, unavailable."""

    @property
    def is_complete(self) -> bool:
        return not self.missing and self.error is None

    @property
    def line(self) -> str:
        """Return the comparison in words."""
        where = f"{self.provider} {self.endpoint} (shop {self.shop})"
        if self.error is not None:
            return f"{where}: not compared: {self.error}"
        if self.missing:
            return f"{where}: not subscribed to {', '.join(self.missing)}; add them at the provider"
        return f"{where}: subscribed to all {len(self.needed)} events"


async def compare(settings: PaymentsSettings, shop: str | None = None) -> list[Subscription]:
    """Compare every endpoint, of the shop if one is given."""
    endpoints = [pair for pair in settings.endpoints if shop in (None, pair[1].shop)]
    return list(await asyncio.gather(*(compare_one(*pair) for pair in endpoints)))


async def compare_one(provider: Provider, endpoint: Endpoint) -> Subscription:
    """Compare one endpoint: whether the provider answers, accepts the credentials, and sends what is needed."""
    found: dict[str, Any] = {
        "provider": provider.name,
        "endpoint": endpoint.slug,
        "shop": endpoint.shop,
        "needed": list(provider.needed),
    }
    try:
        enabled = await provider.enabled_events(endpoint.slug)
    except (ProviderRefused, ProviderUnavailable) as error:
        return Subscription(**found, missing=[], error=str(error), outcome=_outcome_of(error))
    missing = not_subscribed(provider.needed, enabled)
    return Subscription(**found, missing=missing, outcome="incomplete" if missing else "complete")


def _outcome_of(error: ProviderRefused | ProviderUnavailable) -> str:
    if isinstance(error, EndpointMissing):
        return "not_found"
    if isinstance(error, CredentialMissing):
        return "credential_missing"
    return "refused" if isinstance(error, ProviderRefused) else "unavailable"


def as_json(subscriptions: Sequence[Subscription]) -> dict[str, Any]:
    """Return the comparison as the HTTP answer has it."""
    return {"endpoints": [asdict(one) for one in subscriptions]}


def main(settings: PaymentsSettings, arguments: Sequence[str]) -> int:
    """Print the comparison of every endpoint; return 0 if all are complete."""
    if arguments:
        print(f"usage: python -m services.payments {COMMAND}")
        return 2
    try:
        subscriptions = asyncio.run(_compare_and_close(settings))
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        print(f"could not compare: {error}; check COMPTOIR_DATABASE_URL and that the database is up to date")
        return 2
    for one in subscriptions:
        print(one.line)
    return 0 if all(one.is_complete for one in subscriptions) else 1


async def _compare_and_close(settings: PaymentsSettings) -> list[Subscription]:
    """Compare the endpoints of the settings and of the database."""
    connection = await asyncpg.connect(settings.database_url.get_secret_value(), timeout=10)
    try:
        await refresh(settings, connection)
        return await compare(settings)
    finally:
        await connection.close()
        await settings.providers.close()
