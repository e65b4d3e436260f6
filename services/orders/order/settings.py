"""Settings of orders: those common to all services, the REST API's callers, and the shops' time zones."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl, SecretStr, field_validator

from contracts.message import Shop
from services.chassis.settings import ServiceSettings


def _is_known(name: str) -> str:
    """Validate a zone name, so that an unknown zone fails at start and not in the first filter."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is not an IANA time zone; send one such as Europe/Paris") from error
    return name


ZoneName = Annotated[str, AfterValidator(_is_known)]
"""IANA time zone name."""


class ApiToken(BaseModel):
    """One caller of the REST API, as listed in COMPTOIR_API_TOKENS."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, frozen=True)

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$")]
    shop: Shop
    token: Annotated[SecretStr, Field(min_length=16, description="Created by a random generator.")]

    @field_validator("token")
    @classmethod
    def _fits_a_header(cls, token: SecretStr) -> SecretStr:
        text = token.get_secret_value()
        if not (text.isascii() and text.isprintable() and " " not in text):
            raise ValueError("a token is plain ASCII without spaces, as a random generator creates it")
        return token


def _each_once(tokens: list[ApiToken]) -> list[ApiToken]:
    if len({one.token.get_secret_value() for one in tokens}) < len(tokens):
        raise ValueError("two entries have the same token; create one for each caller and shop")
    return tokens


ApiTokens = Annotated[list[ApiToken], AfterValidator(_each_once)]
"""List of tokens; every token belongs to one caller and one shop."""


class ShopZone(BaseModel):
    """Time zone of a shop; the same JSON as the notifier's, of which only these fields are read."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    shop: Shop
    time_zone: ZoneName | None = None


class OrdersSettings(ServiceSettings):
    """Database, broker, listen address, tokens of the REST API, and time zones of dates in filters."""

    api_tokens: ApiTokens = Field(
        default_factory=list,
        description='Callers of the REST API as JSON: [{"name": "erp", "shop": "maison", "token": "…"}]. '
        "Without any the API is closed.",
    )
    payments_url: HttpUrl | None = Field(
        default=None,
        description="Where the payments service answers: the REST API reads invoicing settings there.",
    )
    refusal_days: int = Field(default=365, ge=30, description="How long refused sales are kept.")
    checkout_days: int = Field(
        default=180,
        ge=45,
        description="How long a checkout that ended without a sale and without money is kept.",
    )
    audit_days: int = Field(
        default=1095, ge=90, description="How long the record of actions in the back office is kept."
    )
    time_zone: ZoneName = Field(
        default="Europe/Paris", description="Time zone of a shop that names none, an IANA name: Europe/Paris."
    )
    shops: list[ShopZone] = Field(
        default_factory=list, description="JSON list of the shops, as the notifier has it: their time zones."
    )
    fulfillment_url: HttpUrl | None = Field(
        default=None, description="Where the fulfillment service answers, for the REST API's stock."
    )
    notifier_url: HttpUrl | None = Field(
        default=None, description="Where the notifier answers, for the REST API's mail rules."
    )

    def owner_url(
        self, owner: Literal["orders", "payments", "fulfillment", "notifier", "auditor"]
    ) -> str | None:
        """Return the URL of a service that the REST API reads, without a trailing slash; None of any other."""
        urls = {
            "payments": self.payments_url,
            "fulfillment": self.fulfillment_url,
            "notifier": self.notifier_url,
        }
        url = urls.get(owner)
        return str(url).rstrip("/") if url is not None else None

    def zone_of(self, shop: str) -> ZoneInfo:
        """Return the time zone in which a shop's days are counted."""
        own = next((one.time_zone for one in self.shops if one.shop == shop), None)
        return ZoneInfo(own or self.time_zone)
