"""Settings of payments beyond every service's: the webhook endpoints with their secrets, and waiting times.

An empty or blank secret stops the service at start: anybody could sign with it.
"""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from contracts.message import Shop
from services.chassis.settings import ServiceSettings

MIN_SECRET_CHARACTERS = 16


class StripeEndpoint(BaseModel):
    """One webhook endpoint as set up at Stripe, identified in its public URL by its slug."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    slug: str = Field(
        pattern=r"^[A-Za-z0-9_-]{8,64}$", description="Random last part of the endpoint's address."
    )
    shop: Shop
    secrets: tuple[SecretStr, ...] = Field(
        min_length=1, max_length=5, description="Signing secrets, newest first."
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
            raise ValueError("an API key has no blanks and at least 16 characters; copy it whole from Stripe")
        return key

    @field_validator("secrets")
    @classmethod
    def _must_be_secrets(cls, secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for secret in secrets:
            value = secret.get_secret_value()
            if len(value) < MIN_SECRET_CHARACTERS or value != value.strip():
                raise ValueError(
                    f"a signing secret needs at least {MIN_SECRET_CHARACTERS} characters and no blanks around it; "
                    "copy the endpoint's whsec_… from Stripe"
                )
        return secrets


class PaymentsSettings(ServiceSettings):
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
    unmatched_after_hours: float = Field(
        default=72.0, gt=0, description="Money whose order stays unknown this long is reported."
    )
    unmatched_named_after_seconds: float = Field(
        default=60.0,
        gt=0,
        description="Money that names an unknown order is reported so soon: it may be a checkout never placed.",
    )
    webhooks_at_once: int = Field(
        default=512,
        ge=1,
        description="Requests per endpoint being received at once; more are told to come back.",
    )

    @model_validator(mode="after")
    def _slugs_differ(self) -> Self:
        slugs = [endpoint.slug for endpoint in self.stripe_endpoints]
        if len(set(slugs)) < len(slugs):
            raise ValueError("COMPTOIR_STRIPE_ENDPOINTS: two endpoints have the same slug; give each its own")
        senders = [endpoint.shop for endpoint in self.stripe_endpoints if endpoint.api_key is not None]
        if len(set(senders)) < len(senders):
            raise ValueError(
                "COMPTOIR_STRIPE_ENDPOINTS: two endpoints of a shop have an api_key; give it to one"
            )
        return self
