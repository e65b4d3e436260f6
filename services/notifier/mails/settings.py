"""The notifier's settings: the shops it writes for, the mail server, and the handling of uncertain mails."""

from enum import StrEnum
from functools import cache, cached_property
from ipaddress import ip_address
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from contracts.message import Locale, Shop
from services.chassis.messaging.process import Process
from services.chassis.settings import ServiceSettings
from services.notifier.mails.mail import Template

MailAddress = Annotated[
    str, Field(max_length=254, pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+$")
]
Line = Annotated[str, Field(max_length=200, pattern=r"^[^\r\n]*$")]


class ShopUnknown(LookupError):
    """No shop of this name is set up, so sender and recipients are unknown."""

    def __init__(self, shop: str, known: tuple[str, ...]) -> None:
        names = ", ".join(known) or "none"
        super().__init__(
            f"shop {shop} is not in COMPTOIR_SHOPS (known: {names}); "
            "add it with its addresses, start the notifier again and redrive the message"
        )
        self.shop, self.known = shop, known


class ShopProfile(BaseModel):
    """Profile of a merchant's shop, as shown in its mails."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shop: Shop
    name: Line = Field(min_length=1, description="The merchant as customers know them.")
    merchant_email: MailAddress = Field(description="Who hears of new orders.")
    from_email: MailAddress = Field(description="Sender of all mails; its domain names the mails' ids.")
    reply_to: MailAddress | None = Field(default=None, description="Where answers go, if not to the sender.")
    support_email: MailAddress | None = None
    support_phone: Line | None = None
    opening_hours: Line | None = Field(default=None, description="As people read it: lun–ven 9 h–18 h.")
    default_locale: Locale = Field(default="fr", description="The language of mails to the merchant.")
    time_zone: str = Field(default="Europe/Paris", description="IANA zone of the times shown in mails.")
    postal_address: str | None = Field(
        default=None, max_length=500, description="Where cheques are sent; several lines."
    )
    cheque_payable_to: Line | None = Field(default=None, description="If not the shop's name.")
    iban: Line | None = Field(default=None, description="Account for transfers.")
    bic: Line | None = None
    siret: Line | None = Field(default=None, description="The business's number, shown on the recap.")
    vat_number: Line | None = Field(default=None, description="Its VAT number, shown there too.")
    backoffice_url: str | None = Field(
        default=None,
        max_length=200,
        pattern=r"^https?://[A-Za-z0-9.\-\[\]:]+$",
        description="Where the shop's staff open the back office: the mail of a new order leads to the order.",
    )

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"{name} is no IANA time zone; write one such as Europe/Paris") from None
        return name


class Security(StrEnum):
    """Protection of the connection to the mail server."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class Uncertain(StrEnum):
    """Handling of a mail that may or may not have been sent: a person decides, or it is sent again."""

    HOLD = "hold"
    RESEND = "resend"


class ShopDirectory(BaseSettings):
    """The shops this notifier writes for."""

    model_config = ServiceSettings.model_config

    shops: list[ShopProfile] = Field(description="JSON list of the shops, each with its addresses.")

    @field_validator("shops")
    @classmethod
    def _named_once(cls, shops: list[ShopProfile]) -> list[ShopProfile]:
        names = [profile.shop for profile in shops]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} is there twice; keep one entry per shop")
        return shops

    @cached_property
    def profiles(self) -> dict[str, ShopProfile]:
        """Return the shops by name."""
        return {profile.shop: profile for profile in self.shops}

    def profile(self, shop: str) -> ShopProfile:
        """Return a shop's profile. Raises ShopUnknown."""
        try:
            return self.profiles[shop]
        except KeyError:
            raise ShopUnknown(shop, tuple(sorted(self.profiles))) from None


@cache
def shop_directory() -> ShopDirectory:
    """Return the shops in the environment, read once a process: handlers work in memory and are given no settings."""
    return ShopDirectory()


class NotifierSettings(ShopDirectory, ServiceSettings):
    """Settings the notifier needs beyond those of every service."""

    smtp_host: str = Field(default="127.0.0.1", description="The mail server.")
    smtp_port: int = Field(default=25, ge=1, le=65535)
    smtp_security: Security = Security.NONE
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_hello_name: str = Field(
        default="localhost", pattern=r"^[A-Za-z0-9.\-\[\]:]+$", description="Our name in EHLO."
    )
    smtp_connections: int = Field(default=3, ge=1, le=16)
    smtp_timeout_seconds: float = Field(
        default=30.0, gt=0, le=600, description="For one mail, all steps together."
    )
    smtp_mails_per_connection: int = Field(default=100, ge=1)
    smtp_idle_seconds: float = Field(default=60.0, gt=0)
    smtp_ca_file: str | None = Field(default=None, description="Certificates to trust, if not the system's.")
    mail_give_up_hours: float = Field(
        default=120.0, gt=0, description="A mail deferred for so long has failed,"
    )
    mail_attempts: int = Field(default=20, ge=1, description="if it was tried so often.")
    uncertain_mails: dict[Template, Uncertain] = Field(
        default_factory=dict, description="By template: hold (default, never twice) or resend (never lost)."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise ValueError("set both COMPTOIR_SMTP_USERNAME and COMPTOIR_SMTP_PASSWORD, or neither")
        if self.smtp_username and self.smtp_security is Security.NONE and not _is_loopback(self.smtp_host):
            raise ValueError(
                "a password would travel unprotected; set COMPTOIR_SMTP_SECURITY to starttls or tls"
            )
        return self

    def resends(self, template: Template) -> bool:
        """Return whether an uncertain mail of this template is sent again without a person's decision."""
        return self.uncertain_mails.get(template) is Uncertain.RESEND


def of(process: Process) -> NotifierSettings:
    """Return the settings of a notifier's process. Raises TypeError for another service's process."""
    settings = process.settings
    if not isinstance(settings, NotifierSettings):
        raise TypeError(f"this process runs with {type(settings).__name__}, not with NotifierSettings")
    return settings


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
