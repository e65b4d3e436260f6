"""What the endpoint of a provider consists of when staff enter it: its texts and its secrets. Pure.

Each provider implements `EndpointForm` and lists what is wrong with an entry, by field and code. No message
holds a typed value: it may be a secret in the wrong field.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from contracts.message import Reason
from services.payments.providers.port import Endpoint

SLUG = r"^[A-Za-z0-9_-]{8,64}$"


@dataclass(frozen=True, slots=True)
class SecretRule:
    """A secret of an endpoint. Of one that rotates, older values are accepted until they expire."""

    is_required: bool = False
    rotates: bool = False


@dataclass(frozen=True, slots=True)
class EndpointEntry:
    """An endpoint as staff enter it. `secrets` has the values of each, the newest first."""

    slug: str
    shop: str
    is_live: bool
    texts: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def newest(self, secret: str) -> str:
        """Return the newest value of a secret, "" without one."""
        return next(iter(self.secrets.get(secret, ())), "")


class EndpointForm(Protocol):
    """The parts of one provider's endpoints, and the rules for them."""

    @property
    def setting(self) -> str:
        """Return the field of the settings that holds the provider's endpoints."""

    @property
    def texts(self) -> Mapping[str, bool]:
        """Return the texts that are not secrets, and whether each is required."""

    @property
    def secrets(self) -> Mapping[str, SecretRule]:
        """Return the secrets."""

    def faults(self, entry: EndpointEntry, others: Sequence[Any]) -> Iterator[Reason]:
        """Return what is wrong with an entry beside `others`, the provider's other endpoints."""

    def set_secrets(self, endpoint: Any) -> list[str]:
        """Return the names of the secrets that an endpoint has."""

    def endpoint(self, entry: EndpointEntry) -> Endpoint:
        """Return the endpoint of an entry without faults."""


def faults_of(
    form: EndpointForm, entry: EndpointEntry, others: Sequence[Endpoint], taken: Sequence[str]
) -> list[Reason]:
    """Return everything that is wrong with an entry. `others` are the provider's, `taken` the slugs of all."""
    return [*_slug_faults(entry, taken), *_missing(form, entry), *form.faults(entry, others)]


def _slug_faults(entry: EndpointEntry, taken: Sequence[str]) -> Iterator[Reason]:
    if not re.fullmatch(SLUG, entry.slug):
        text = "a slug is 8 to 64 letters, digits, hyphens and underscores, without accents or spaces"
        yield Reason(code="slug_unusable", field="slug", message=text)
    elif entry.slug in taken:
        text = "another endpoint has this slug; choose another one"
        yield Reason(code="slug_taken", field="slug", message=text)


def _missing(form: EndpointForm, entry: EndpointEntry) -> Iterator[Reason]:
    empty = [name for name, is_required in form.texts.items() if is_required and not entry.texts.get(name)]
    unset = [name for name, rule in form.secrets.items() if rule.is_required and not entry.newest(name)]
    for name in sorted({*entry.texts, *entry.secrets} - {*form.texts, *form.secrets}):
        yield Reason(code="field_unknown", message=f"this provider's endpoints have no {name}; leave it out")
    for name in (*empty, *unset):
        yield Reason(
            code="field_missing", field=name, message=f"{name} is missing; copy it from the provider"
        )
