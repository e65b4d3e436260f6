"""Stripe's part of the settings: the webhook endpoints with their secrets, and where its API is.

An empty or blank secret stops the service at start: anybody could sign with it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from contracts.message import Reason, Shop
from services.chassis.settings import ServiceSettings
from services.payments.providers.endpoint_form import EndpointEntry, SecretRule

MIN_SECRET_CHARACTERS = 16
MOST_SECRETS = 5
SIGNING_SECRET, API_KEY = "signing_secret", "api_key"
_SIGNING_SECRET = r"whsec_[\x21-\x7e]{10,250}"
_API_KEY = r"(sk|rk)_(org_)?(?P<mode>test|live)_[A-Za-z0-9_-]{8,250}"


class StripeEndpoint(BaseModel):
    """One webhook endpoint as set up at Stripe, identified in its public URL by its slug."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    slug: str = Field(
        pattern=r"^[A-Za-z0-9_-]{8,64}$", description="Random last part of the endpoint's address."
    )
    shop: Shop
    secrets: tuple[SecretStr, ...] = Field(
        min_length=1, max_length=MOST_SECRETS, description="Signing secrets, newest first."
    )
    livemode: bool = Field(description="Whether the endpoint is of Stripe's live mode.")
    api_key: SecretStr | None = Field(
        default=None,
        description="Secret API key (sk_…, rk_…) by which refunds are sent; none: they can't be.",
    )
    account: str | None = Field(
        default=None, min_length=1, description="The connected account, if it is one's."
    )

    @field_validator("api_key")
    @classmethod
    def _must_be_a_key(cls, key: SecretStr | None) -> SecretStr | None:
        value = key.get_secret_value() if key else None
        if value is not None and (len(value) < MIN_SECRET_CHARACTERS or not value.isascii() or " " in value):
            raise ValueError("an API key has no spaces and at least 16 characters; copy it whole from Stripe")
        return key

    @field_validator("secrets")
    @classmethod
    def _must_be_secrets(cls, secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for secret in secrets:
            value = secret.get_secret_value()
            if len(value) < MIN_SECRET_CHARACTERS or value != value.strip():
                raise ValueError(
                    f"a signing secret needs at least {MIN_SECRET_CHARACTERS} characters and no spaces around it; "
                    "copy the endpoint's whsec_… from Stripe"
                )
        return secrets


class StripeSettings(ServiceSettings):
    """COMPTOIR_STRIPE_ENDPOINTS is a JSON list, empty for a merchant without Stripe."""

    stripe_endpoints: tuple[StripeEndpoint, ...] = Field(
        description='Webhook endpoints: [{"slug": …, "shop": …, "secrets": ["whsec_…"], "livemode": true}].'
    )
    stripe_api_url: str = Field(
        default="https://api.stripe.com", pattern=r"^https?://", description="Where refunds are asked for."
    )
    stripe_timeout_seconds: float = Field(
        default=20.0, gt=0, description="How long a call to Stripe may take before it is made again."
    )

    @model_validator(mode="after")
    def _one_sender_per_shop(self) -> Self:
        senders = [endpoint.shop for endpoint in self.stripe_endpoints if endpoint.api_key is not None]
        if len(set(senders)) < len(senders):
            raise ValueError(
                "COMPTOIR_STRIPE_ENDPOINTS: two endpoints of a shop have an api_key; give it to one"
            )
        return self


class StripeForm:
    """The parts of a Stripe endpoint."""

    setting = "stripe_endpoints"
    texts: Mapping[str, bool] = {"account": False}
    secrets: Mapping[str, SecretRule] = {
        SIGNING_SECRET: SecretRule(is_required=True, rotates=True),
        API_KEY: SecretRule(),
    }

    def faults(self, entry: EndpointEntry, others: Sequence[StripeEndpoint]) -> Iterator[Reason]:
        """Return what is wrong with the secrets and the account."""
        if entry.newest(SIGNING_SECRET) and not _fits(_SIGNING_SECRET, *entry.secrets[SIGNING_SECRET]):
            text = "a signing secret begins with whsec_; copy it whole from the endpoint's page at Stripe"
            yield Reason(code="signing_secret_unusable", field=SIGNING_SECRET, message=text)
        if len(entry.secrets.get(SIGNING_SECRET, ())) > MOST_SECRETS:
            text = f"{MOST_SECRETS} signing secrets are accepted at once; remove an older one first"
            yield Reason(code="signing_secrets_many", field=SIGNING_SECRET, message=text)
        if (account := entry.texts.get("account")) and not _fits(r"acct_[A-Za-z0-9]{4,64}", account):
            text = "a connected account's id begins with acct_; leave it empty unless you use Connect"
            yield Reason(code="stripe_account_unusable", field="account", message=text)
        if key := entry.newest(API_KEY):
            yield from _key_faults(entry, key, others)

    def set_secrets(self, endpoint: StripeEndpoint) -> list[str]:
        """Return the names of the secrets that an endpoint has."""
        return [SIGNING_SECRET] if endpoint.api_key is None else [SIGNING_SECRET, API_KEY]

    def endpoint(self, entry: EndpointEntry) -> StripeEndpoint:
        """Return the endpoint."""
        key = entry.newest(API_KEY)
        return StripeEndpoint(
            slug=entry.slug,
            shop=entry.shop,
            secrets=tuple(map(SecretStr, entry.secrets[SIGNING_SECRET])),
            livemode=entry.is_live,
            api_key=SecretStr(key) if key else None,
            account=entry.texts.get("account") or None,
        )


def _key_faults(entry: EndpointEntry, key: str, others: Sequence[StripeEndpoint]) -> Iterator[Reason]:
    found = re.fullmatch(_API_KEY, key)
    if any(other.shop == entry.shop and other.api_key is not None for other in others):
        text = "another endpoint of this shop has an API key; refunds are sent by one only"
        yield Reason(code="api_key_taken", field=API_KEY, message=text)
    elif found is None:
        text = "an API key begins with sk_test_, sk_live_, rk_test_ or rk_live_; copy it whole from Stripe"
        yield Reason(code="api_key_unusable", field=API_KEY, message=text)
    elif (found["mode"] == "live") != entry.is_live:
        text = f"this is a {found['mode']} key; use one of the endpoint's mode, or change the mode"
        code = "api_key_is_live" if found["mode"] == "live" else "api_key_is_test"
        yield Reason(code=code, field=API_KEY, message=text)


def _fits(pattern: str, *values: str) -> bool:
    return all(re.fullmatch(pattern, value) for value in values)
