"""PayPal's part of the settings: the webhook endpoints with their credentials, and where PayPal's servers are."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from contracts.message import Reason, Shop
from services.chassis.settings import ServiceSettings
from services.payments.providers.endpoint_form import EndpointEntry, SecretRule

SIMULATOR_ID = "WEBHOOK_ID"
"""The id that PayPal's webhook simulator signs with, by the certificate of the live mode."""
CLIENT_SECRET = "client_secret"
_FORMS = {
    "webhook_id": (
        r"[A-Za-z0-9_-]{4,64}",
        Reason(
            code="webhook_id_unusable",
            field="webhook_id",
            message="a webhook's id is 4 to 64 letters and digits; copy it from PayPal's dashboard",
        ),
    ),
    "client_id": (
        r"[\x21-\x39\x3b-\x7e]{16,200}",
        Reason(
            code="client_id_unusable",
            field="client_id",
            message="a client id has at least 16 characters and no spaces; copy it whole from PayPal",
        ),
    ),
    "account": (
        r"[A-Z0-9]{8,20}",
        Reason(
            code="paypal_account_unusable",
            field="account",
            message="a merchant id is 8 to 20 capital letters and digits; it is on PayPal's account page",
        ),
    ),
}


class PaypalEndpoint(BaseModel):
    """One webhook as set up at PayPal, identified in its public URL by its slug."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    slug: str = Field(
        pattern=r"^[A-Za-z0-9_-]{8,64}$", description="Random last part of the endpoint's address."
    )
    shop: Shop
    webhook_id: str = Field(
        pattern=r"^[A-Za-z0-9_-]{4,64}$", description="The webhook's id in PayPal's dashboard."
    )
    client_id: str = Field(pattern=r"^[\x21-\x39\x3b-\x7e]{16,200}$", description="Client id of the app.")
    client_secret: SecretStr = Field(description="Secret of the app, by which objects are read.")
    livemode: bool = Field(description="Whether the app is of PayPal's live mode, not of its sandbox.")
    account: str | None = Field(
        default=None, pattern=r"^[A-Z0-9]{8,20}$", description="Merchant id that payments must be paid to."
    )

    @field_validator("webhook_id")
    @classmethod
    def _must_be_ours(cls, webhook_id: str) -> str:
        if webhook_id.upper() == SIMULATOR_ID:
            raise ValueError(
                f"{SIMULATOR_ID} is what PayPal's simulator signs with, for anybody who asks; "
                "copy the webhook's own id from PayPal's dashboard"
            )
        return webhook_id

    @field_validator("client_secret")
    @classmethod
    def _must_be_a_secret(cls, secret: SecretStr) -> SecretStr:
        value = secret.get_secret_value()
        if len(value) < 16 or not value.isascii() or not value.isprintable() or " " in value:
            raise ValueError("a client secret has no spaces and at least 16 characters; copy it whole")
        return secret


class PaypalSettings(ServiceSettings):
    """COMPTOIR_PAYPAL_ENDPOINTS is a JSON list, empty for a merchant without PayPal.

    The stand-in's host and root are for demonstrations and tests: a live endpoint beside them stops the
    service.
    """

    paypal_endpoints: tuple[PaypalEndpoint, ...] = Field(
        default=(),
        description='Webhook endpoints: [{"slug": …, "shop": …, "webhook_id": …, "client_id": …, '
        '"client_secret": …, "livemode": true}].',
    )
    paypal_api_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^/]+$",
        description="Where PayPal's API is; without it PayPal's own address, by mode.",
    )
    paypal_timeout_seconds: float = Field(
        default=20.0, gt=0, description="How long a call to PayPal may take before it is made again."
    )
    paypal_standin_host: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9.-]+(:[0-9]{1,5})?$",
        description="Host of a stand-in, from which certificates may come; refused beside a live endpoint.",
    )
    paypal_standin_root_file: Path | None = Field(
        default=None,
        description="PEM of the only root that a stand-in's certificates may have; refused beside a live endpoint.",
    )

    @property
    def has_paypal_standin(self) -> bool:
        """Return whether a stand-in is set up: only endpoints of the sandbox are possible beside it."""
        return self.paypal_standin_host is not None or self.paypal_standin_root_file is not None

    @model_validator(mode="after")
    def _one_account_per_shop(self) -> Self:
        shops = [endpoint.shop for endpoint in self.paypal_endpoints]
        if len(set(shops)) < len(shops):
            raise ValueError(
                "COMPTOIR_PAYPAL_ENDPOINTS: a shop has two endpoints; keep the one it is paid by"
            )
        return self

    @model_validator(mode="after")
    def _standin_is_not_live(self) -> Self:
        live = [endpoint.slug for endpoint in self.paypal_endpoints if endpoint.livemode]
        if self.has_paypal_standin and live:
            raise ValueError(
                f"COMPTOIR_PAYPAL_STANDIN_HOST and COMPTOIR_PAYPAL_STANDIN_ROOT_FILE are for demonstrations; "
                f"unset them, or set livemode of {', '.join(live)} to false"
            )
        return self


class PaypalForm:
    """The parts of a PayPal endpoint. `has_standin`: a stand-in is set up, beside which nothing is live."""

    setting = "paypal_endpoints"
    texts: Mapping[str, bool] = {"webhook_id": True, "client_id": True, "account": False}
    secrets: Mapping[str, SecretRule] = {CLIENT_SECRET: SecretRule(is_required=True)}

    def __init__(self, *, has_standin: bool) -> None:
        self._has_standin = has_standin

    def faults(self, entry: EndpointEntry, others: Sequence[PaypalEndpoint]) -> Iterator[Reason]:
        """Return what is wrong with texts, secret, mode and shop."""
        for name, (pattern, reason) in _FORMS.items():
            if (text := entry.texts.get(name)) and not re.fullmatch(pattern, text):
                yield reason
        if entry.texts.get("webhook_id", "").upper() == SIMULATOR_ID:
            text = f"{SIMULATOR_ID} is what PayPal's simulator signs with, for anybody; copy the webhook's own id"
            yield Reason(code="webhook_id_of_simulator", field="webhook_id", message=text)
        if (secret := entry.newest(CLIENT_SECRET)) and not re.fullmatch(r"[\x21-\x7e]{16,250}", secret):
            text = "a client secret has no spaces and at least 16 characters; copy it whole from PayPal"
            yield Reason(code="client_secret_unusable", field=CLIENT_SECRET, message=text)
        if entry.is_live and self._has_standin:
            text = (
                "COMPTOIR_PAYPAL_STANDIN_HOST or its root is set: only endpoints of the sandbox are possible"
            )
            yield Reason(code="live_beside_standin", field="livemode", message=text)
        if any(other.shop == entry.shop for other in others):
            text = "this shop has a PayPal endpoint; change that one, or remove it first"
            yield Reason(code="paypal_endpoint_taken", message=text)

    def set_secrets(self, endpoint: PaypalEndpoint) -> list[str]:
        """Return the names of the secrets that an endpoint has."""
        return [CLIENT_SECRET]

    def endpoint(self, entry: EndpointEntry) -> PaypalEndpoint:
        """Return the endpoint."""
        return PaypalEndpoint(
            slug=entry.slug,
            shop=entry.shop,
            webhook_id=entry.texts["webhook_id"],
            client_id=entry.texts["client_id"],
            client_secret=SecretStr(entry.newest(CLIENT_SECRET)),
            livemode=entry.is_live,
            account=entry.texts.get("account") or None,
        )
