"""Loading of the stored endpoints: each process activates them within seconds of a change, without a restart.

An endpoint that cannot be used (its secret is encrypted with a key that is no longer set, or the settings now
have its slug) is left out with the reason, and the others are active.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from contracts.message import Reason
from services.chassis.messaging.process import Process
from services.chassis.storage.database import Connection
from services.payments.endpoints import store
from services.payments.endpoints.vault import SecretUnreadable, Vault
from services.payments.providers.endpoint_form import EndpointEntry, faults_of
from services.payments.providers.port import Endpoint
from services.payments.providers.registered import Stored
from services.payments.settings import PaymentsSettings

WORKER = "endpoints"
IDLE_SECONDS = 2.0
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Kept:
    """What the database has: endpoints, and the secrets of each that have not expired."""

    endpoints: Sequence[store.EndpointRow]
    secrets: Mapping[str, Sequence[store.SecretRow]]

    @property
    def version(self) -> object:
        """Return a value that changes with every change of an endpoint or a secret."""
        ids = [secret.id for secrets in self.secrets.values() for secret in secrets]
        return [(row.slug, row.revision) for row in self.endpoints], ids

    def without(self, slug: str) -> "Kept":
        """Return all but one endpoint."""
        return Kept([row for row in self.endpoints if row.slug != slug], self.secrets)


async def read_kept(connection: Connection) -> Kept:
    """Read endpoints and secrets."""
    endpoints, secrets = await store.read_endpoints(connection), await store.read_secrets(connection)
    return Kept(endpoints, {row.slug: [one for one in secrets if one.slug == row.slug] for row in endpoints})


async def load_endpoints(process: Process) -> bool:
    """Activate what was changed, and delete what has expired: one pass of the worker."""
    assert isinstance(process.settings, PaymentsSettings)
    async with process.acquire() as connection:
        await refresh(process.settings, connection)
        await store.remove_expired(connection)
    await process.settings.providers.close_retired()
    return False


async def look_again(process: Process) -> None:
    """Read the stored endpoints now: before one that another process may have just stored is treated as missing."""
    assert isinstance(process.settings, PaymentsSettings)
    async with process.acquire() as connection:
        await refresh(process.settings, connection)


async def refresh(settings: PaymentsSettings, connection: Connection) -> None:
    """Activate the stored endpoints, if they changed since they were read last."""
    kept, providers = await read_kept(connection), settings.providers
    if providers.stored is not None and providers.stored.version == kept.version:
        return
    stored = assembled(settings, kept)
    for slug, fault in stored.faults.items():
        log.warning("stored endpoint not active", endpoint=slug, field=fault.field, reason=fault.code)
    providers.use(stored)


def assembled(settings: PaymentsSettings, kept: Kept) -> Stored:
    """Return the stored endpoints that can be active beside those of the settings, and why others can't."""
    vault, faults = Vault(settings.payments_secrets_key), dict[str, Reason]()
    found: dict[str, list[Endpoint]] = {name: [] for name in settings.endpoint_forms}
    for row in kept.endpoints:
        if row.provider not in found:
            text = (
                f"this version has no provider {row.provider}; remove the endpoint, or run the later version"
            )
            faults[row.slug] = Reason(code="provider_unknown", message=text)
            continue
        try:
            entry = entry_of(vault, row, kept.secrets[row.slug])
        except SecretUnreadable as unreadable:
            faults[row.slug] = Reason(code="secret_unreadable", message=f"{unreadable}; enter it again")
            continue
        if wrong := wrong_with(settings, entry, row.provider, found):
            faults[row.slug] = wrong[0]
        else:
            found[row.provider].append(settings.endpoint_forms[row.provider].endpoint(entry))
    return Stored(kept.version, found, faults)


def entry_of(vault: Vault, row: store.EndpointRow, secrets: Sequence[store.SecretRow]) -> EndpointEntry:
    """Return a stored endpoint with its secrets in clear. Raises SecretUnreadable."""
    values: dict[str, list[str]] = {}
    for one in secrets:
        values.setdefault(one.name, []).append(vault.open(row.slug, one.name, one.sealed))
    return EndpointEntry(row.slug, row.shop, row.is_live, row.texts, values)


def wrong_with(
    settings: PaymentsSettings,
    entry: EndpointEntry,
    provider: str,
    stored: Mapping[str, Sequence[Endpoint]],
    slugs: Sequence[str] = (),
) -> list[Reason]:
    """Return what is wrong with an entry beside the settings' endpoints, those `stored` by provider, and
    further `slugs` that are taken.
    """
    own = settings.own_endpoints
    others = [*own[provider], *stored.get(provider, ())]
    taken = [*slugs, *(one.slug for endpoints in own.values() for one in endpoints)]
    return faults_of(settings.endpoint_forms[provider], entry, others, taken)
