"""Orders' settings: those of every service, who may use the REST API, and the shop's time zone."""

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from contracts.message import Shop
from services.chassis.settings import ServiceSettings
from services.orders.access import ApiTokens


def _is_known(name: str) -> str:
    """An unknown zone is found at start, not by the first filter."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no IANA time zone; send one such as Europe/Paris") from error
    return name


ZoneName = Annotated[str, AfterValidator(_is_known)]
"""An IANA time zone."""


class ShopZone(BaseModel):
    """The time zone of a shop; the same JSON as the notifier's, of which it reads these."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    shop: Shop
    time_zone: ZoneName | None = None


class OrdersSettings(ServiceSettings):
    """Database, broker, address to listen on; tokens of the REST API; time zone of dates in filters."""

    api_tokens: ApiTokens = Field(
        default_factory=list,
        description='Callers of the REST API as JSON: [{"name": "erp", "shop": "maison", "token": "…"}]. '
        "Without any the API is closed.",
    )
    refusal_days: int = Field(default=365, ge=30, description="How long refused sales are kept.")
    checkout_days: int = Field(
        default=180,
        ge=45,
        description="How long a checkout that ended without a sale and without money is kept.",
    )
    audit_days: int = Field(
        default=1095, ge=90, description="How long it is kept who did what in the back office."
    )
    time_zone: ZoneName = Field(
        default="Europe/Paris", description="Time zone of a shop that names none, an IANA name: Europe/Paris."
    )
    shops: list[ShopZone] = Field(
        default_factory=list, description="JSON list of the shops, as the notifier has it: their time zones."
    )

    def zone_of(self, shop: str) -> ZoneInfo:
        """The time zone in which a shop's days are counted."""
        own = next((one.time_zone for one in self.shops if one.shop == shop), None)
        return ZoneInfo(own or self.time_zone)
