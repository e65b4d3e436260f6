"""Settings of payments beyond every service's and its providers': waiting times and limits."""

from cryptography.fernet import Fernet
from pydantic import Field, SecretStr, field_validator

from services.payments.providers.registered import ProviderSettings


class PaymentsSettings(ProviderSettings):
    """The settings of payments; `providers` are the providers made from them."""

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
        description="Requests per endpoint being received at once; more get 503 and are delivered again.",
    )
    sale_days: int = Field(
        default=1826,
        ge=1,
        description="How long the sale of an order without invoice is kept, with its buyer, after the order's last "
        "movement of money: the five years in which an invoice may be claimed.",
    )
    payments_secrets_key: SecretStr | None = Field(
        default=None,
        description="Fernet keys, separated by spaces, that encrypt the providers' secrets set in the back office; the "
        "first encrypts. Without one endpoints are set in the environment only.",
    )

    @field_validator("payments_secrets_key")
    @classmethod
    def _must_be_keys(cls, keys: SecretStr | None) -> SecretStr | None:
        for key in keys.get_secret_value().replace(",", " ").split() if keys is not None else ():
            try:
                Fernet(key)
            except ValueError:
                raise ValueError(
                    "a key is 32 random bytes in URL-safe base64; make one with "
                    'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
                ) from None
        return keys
