"""Settings of the back office: public address, session lifetimes, addresses of the other services.

Invariant: the session cookie is sent only over TLS, or over plain HTTP on this very machine. An origin that
would send it unencrypted is rejected at start.
"""

from ipaddress import ip_address
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, HttpUrl, SecretStr, model_validator

from contracts.message import Shop
from services.chassis.settings import ServiceSettings
from services.orders.order.settings import ZoneName
from services.orders.order.shop.profile import FIELDS, ProfileRow


def _origins(value: Any) -> Any:
    """Parse one origin, or several separated by spaces or commas; each without a path."""
    if not isinstance(value, str):
        return value
    return [_origin(one) for one in value.replace(",", " ").split()]


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError(f"{text!r} is not an origin; write only scheme and host: https://office.example.com")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ValueError(f"{text!r} would send passwords unencrypted; use https, or http on 127.0.0.1 only")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


Origins = Annotated[list[str], BeforeValidator(_origins), Field(min_length=1)]


class ShopFacts(BaseModel):
    """The facts of a shop that the back office shows: a subset of the notifier's JSON of the same setting."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    shop: Shop
    name: str
    support_email: str | None = None
    support_phone: str | None = None
    opening_hours: str | None = None
    siret: str | None = None
    vat_number: str | None = None
    time_zone: ZoneName | None = None
    default_locale: str = "fr"

    def overlaid(self, changed: ProfileRow | None) -> Self:
        """Return the facts with the support block as changed by staff; an empty field is not shown."""
        values = {name: getattr(changed, name) for name in FIELDS} if changed else {}
        return self.model_copy(
            update={name: value or None for name, value in values.items() if value is not None}
        )


class BackofficeSettings(ServiceSettings):
    """The settings; database and broker user are those of orders."""

    backoffice_origin: Origins = Field(
        description="Public address of the back office, without a path: https://office.example.com; "
        "several separated by spaces."
    )
    shops: list[ShopFacts] = Field(
        default_factory=list, description="JSON list of the shops, as the notifier has it: names and support."
    )
    time_zone: ZoneName = Field(
        default="Europe/Paris", description="Default time zone of shops, an IANA name: Europe/Paris."
    )
    session_idle_hours: float = Field(default=12.0, gt=0, description="Idle time after which a session ends.")
    session_hours: float = Field(
        default=168.0, gt=0, description="Lifetime of a session, after which the user signs in again."
    )
    orders_url: HttpUrl | None = Field(default=None, description="URL of the orders service.")
    payments_url: HttpUrl | None = Field(default=None, description="URL of the payments service.")
    fulfillment_url: HttpUrl | None = Field(default=None, description="URL of the fulfillment service.")
    notifier_url: HttpUrl | None = Field(default=None, description="URL of the notifier.")
    auditor_url: HttpUrl | None = Field(default=None, description="URL of the auditor.")
    prometheus_url: HttpUrl | None = Field(
        default=None, description="Prometheus, as browsers of operators reach it: Operations links to it."
    )
    alertmanager_url: HttpUrl | None = Field(
        default=None, description="Alertmanager, as browsers of operators reach it: Operations links to it."
    )
    rabbitmq_management_url: SecretStr | None = Field(
        default=None,
        description="URL of RabbitMQ's management API, with a user that has the monitoring tag: "
        "http://user:password@host:15672.",
    )
    reading_pool_size: int = Field(
        default=8, ge=2, le=100, description="Maximum number of read-only connections."
    )

    @model_validator(mode="after")
    def _idle_is_shorter(self) -> Self:
        if self.session_idle_hours > self.session_hours:
            raise ValueError("COMPTOIR_SESSION_IDLE_HOURS must not exceed COMPTOIR_SESSION_HOURS")
        return self

    @property
    def is_secure(self) -> bool:
        """Return whether cookies are restricted to TLS: unless every origin is plain HTTP on this machine."""
        return any(origin.startswith("https:") for origin in self.backoffice_origin)

    @property
    def hosts(self) -> frozenset[str]:
        """Return the accepted values of `Host`; any other may be a DNS rebinding attack."""
        return frozenset(urlsplit(origin).netloc for origin in self.backoffice_origin)

    def shop(self, name: str) -> ShopFacts:
        """Return the facts of a shop; one without a description has only its own name."""
        for shop in self.shops:
            if shop.shop == name:
                return shop
        return ShopFacts(shop=name, name=name)

    def owner_url(
        self, owner: Literal["orders", "payments", "fulfillment", "notifier", "auditor"]
    ) -> str | None:
        """Return the URL of a service or the auditor, without a trailing slash."""
        url: HttpUrl | None = getattr(self, f"{owner}_url")
        return str(url).rstrip("/") if url is not None else None
