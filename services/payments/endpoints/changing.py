"""Changes of stored endpoints by staff: add, change, remove, and remove one secret.

Each is checked as a whole, with the secrets that stay, before anything is written. Nothing here is published
or logged: a secret leaves this service only as what the provider is called with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from contracts.envelope import uuid7
from contracts.message import Reason
from services.chassis.messaging.unit import Unit
from services.payments.endpoints import store
from services.payments.endpoints.loading import Kept, assembled, read_kept, wrong_with
from services.payments.endpoints.vault import SecretUnreadable, Vault, shown_part
from services.payments.providers.endpoint_form import EndpointEntry
from services.payments.settings import PaymentsSettings

KEPT_HOURS = (0, 24, 168)
"""How long the signing secret before a new one is accepted, as staff choose."""
KEY_MISSING = Reason(
    code="secrets_key_missing",
    message="COMPTOIR_PAYMENTS_SECRETS_KEY is not set: set it, or the endpoint in payments' settings",
)


class EndpointUnknown(Exception):
    """The shop has no stored endpoint of this slug, or it has no such secret."""


class EndpointRefused(Exception):
    """The change was rejected; nothing was changed. `reasons` lists every reason."""

    def __init__(self, *reasons: Reason) -> None:
        super().__init__("; ".join(reason.message for reason in reasons))
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Change:
    """What staff entered. `secrets` has only those that were typed; the others stay."""

    is_live: bool
    texts: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)
    kept_hours: int
    revision: int
    actor: str


async def add(
    unit: Unit, settings: PaymentsSettings, provider: str, entry: EndpointEntry, actor: str
) -> None:
    """Store an endpoint. Raises EndpointRefused."""
    vault = _vault(settings)
    await store.lock(unit.connection)
    kept = await read_kept(unit.connection)
    _check(settings, entry, provider, kept)
    row = store.EndpointRow(entry.slug, provider, entry.shop, entry.is_live, entry.texts, 1)
    await store.add_endpoint(unit.connection, row, unit.now, actor)
    typed = {name: values[0] for name, values in entry.secrets.items() if values}
    await _set(unit, vault, entry.slug, typed, actor)


async def change(unit: Unit, settings: PaymentsSettings, shop: str, slug: str, wanted: Change) -> None:
    """Change an endpoint. Raises EndpointUnknown, EndpointRefused."""
    vault = _vault(settings)
    await store.lock(unit.connection)
    kept = await read_kept(unit.connection)
    row = _row(kept, shop, slug)
    if row.revision != wanted.revision:
        text = f"revision {wanted.revision} was shown, {row.revision} is stored; look at it again"
        raise EndpointRefused(Reason(code="endpoint_changed", message=text))
    staying = _staying(settings, vault, row, kept.secrets[slug], wanted)
    values: dict[str, list[str]] = {name: [value] for name, value in wanted.secrets.items()}
    for one, value in staying:
        values.setdefault(one.name, []).append(value)
    entry = EndpointEntry(slug, shop, wanted.is_live, wanted.texts, values)
    _check(settings, entry, row.provider, kept.without(slug))
    changed = row._replace(is_live=wanted.is_live, texts=wanted.texts)
    await store.change_endpoint(unit.connection, changed, unit.now, wanted.actor)
    await _end_replaced(unit, kept.secrets[slug], staying, wanted)
    await _set(unit, vault, slug, wanted.secrets, wanted.actor)


async def remove(unit: Unit, shop: str, slug: str) -> None:
    """Remove an endpoint with its secrets. Raises EndpointUnknown."""
    await store.lock(unit.connection)
    _row(await read_kept(unit.connection), shop, slug)
    await store.remove_endpoint(unit.connection, slug)


async def remove_secret(
    unit: Unit, settings: PaymentsSettings, shop: str, slug: str, secret_id: UUID, actor: str
) -> str:
    """Remove a secret that is not needed any more; return its name. Raises EndpointUnknown, EndpointRefused."""
    await store.lock(unit.connection)
    kept = await read_kept(unit.connection)
    row = _row(kept, shop, slug)
    one = next((each for each in kept.secrets[slug] if each.id == secret_id), None)
    if one is None:
        raise EndpointUnknown(slug)
    alike = [each for each in kept.secrets[slug] if each.name == one.name]
    if settings.endpoint_forms[row.provider].secrets[one.name].is_required and len(alike) == 1:
        text = f"{one.name} is needed; set another one instead of removing it"
        raise EndpointRefused(Reason(code="secret_needed", message=text))
    await store.remove_secret(unit.connection, slug, secret_id)
    await store.change_endpoint(unit.connection, row, unit.now, actor)
    return one.name


def _vault(settings: PaymentsSettings) -> Vault:
    vault = Vault(settings.payments_secrets_key)
    if not vault.has_key:
        raise EndpointRefused(KEY_MISSING)
    return vault


def _row(kept: Kept, shop: str, slug: str) -> store.EndpointRow:
    """Return the shop's endpoint. Raises EndpointUnknown."""
    found = next((row for row in kept.endpoints if (row.shop, row.slug) == (shop, slug)), None)
    if found is None:
        raise EndpointUnknown(slug)
    return found


def _staying(
    settings: PaymentsSettings,
    vault: Vault,
    row: store.EndpointRow,
    secrets: Sequence[store.SecretRow],
    wanted: Change,
) -> list[tuple[store.SecretRow, str]]:
    """Return the stored secrets that are accepted after the change, in clear. Raises EndpointRefused when one
    that is not replaced can't be decrypted.
    """
    found = []
    rules = settings.endpoint_forms[row.provider].secrets
    for one in secrets:
        is_replaced = one.name in wanted.secrets
        if is_replaced and not (rules[one.name].rotates and wanted.kept_hours):
            continue
        try:
            found.append((one, vault.open(row.slug, one.name, one.sealed)))
        except SecretUnreadable as unreadable:
            if not is_replaced:
                reason = Reason(
                    code="secret_unreadable", field=one.name, message=f"{unreadable}; enter it again"
                )
                raise EndpointRefused(reason) from None
    return found


def _check(settings: PaymentsSettings, entry: EndpointEntry, provider: str, others: Kept) -> None:
    """Raise EndpointRefused with everything that is wrong with an entry beside the other endpoints."""
    slugs = [row.slug for row in others.endpoints]
    if wrong := wrong_with(settings, entry, provider, assembled(settings, others).endpoints, slugs):
        raise EndpointRefused(*wrong)


async def _end_replaced(
    unit: Unit,
    secrets: Sequence[store.SecretRow],
    staying: Sequence[tuple[store.SecretRow, str]],
    wanted: Change,
) -> None:
    """Delete the secrets that typed ones replace; those that stay for a while expire after it."""
    staying_ids = {one.id for one, _ in staying}
    for one in secrets:
        if one.name not in wanted.secrets:
            continue
        if one.id in staying_ids:
            await store.let_expire(unit.connection, one.id, unit.now + timedelta(hours=wanted.kept_hours))
        else:
            await store.remove_secret(unit.connection, one.slug, one.id)


async def _set(unit: Unit, vault: Vault, slug: str, typed: Mapping[str, str], actor: str) -> None:
    rows = [
        store.SecretRow(
            uuid7(), slug, name, vault.seal(slug, name, value), shown_part(value), unit.now, actor, None
        )
        for name, value in typed.items()
    ]
    await store.add_secrets(unit.connection, rows)
