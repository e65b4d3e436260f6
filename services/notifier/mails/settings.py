"""The notifier's settings: the shops it writes for, the mail server, and the handling of uncertain mails."""

from enum import StrEnum
from functools import cache, cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from contracts.message import Locale, Shop
from contracts.notifier.mail_texts import LONGEST_LOGO
from services.chassis import tls
from services.chassis.given_settings import GivenSettings
from services.chassis.messaging.process import Process
from services.chassis.settings import ServiceSettings, check_pair
from services.notifier.mails.addresses import LONGEST, usable_address
from services.notifier.mails.mail import Template

MailAddress = Annotated[str, Field(max_length=LONGEST), AfterValidator(usable_address)]
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
    merchant_email: MailAddress = Field(description="Recipient of the mails about new orders.")
    from_email: MailAddress = Field(description="Sender of all mails; its domain names the mails' ids.")
    reply_to: MailAddress | None = Field(
        default=None, description="Address for answers, if not the sender's."
    )
    support_email: MailAddress | None = None
    support_phone: Line | None = None
    opening_hours: Line | None = Field(default=None, description="As people read it: lun–ven 9 h–18 h.")
    brand_colour: str | None = Field(
        default=None, pattern=r"^#[0-9a-f]{6}$", description="Of links and buttons in mails: #0f625b."
    )
    logo: str | None = Field(default=None, max_length=LONGEST_LOGO, description="PNG or JPEG in base64.")
    signature: str | None = Field(default=None, max_length=500, description="Ends the mails; several lines.")
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
            raise ValueError(f"{name} is not an IANA time zone; write one such as Europe/Paris") from None
        return name


class Security(StrEnum):
    """Protection of the connection to the mail server."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class InboundProtocol(StrEnum):
    """How our mail server hands over received mails."""

    LMTP = "lmtp"
    SMTP = "smtp"


class Uncertain(StrEnum):
    """Handling of a mail that may or may not have been sent: staff decide, or it is sent again."""

    HOLD = "hold"
    RESEND = "resend"


class ShopDirectory(GivenSettings):
    """The shops this notifier writes for."""

    shops: list[ShopProfile] = Field(description="JSON list of the shops, each with its addresses.")

    @field_validator("shops")
    @classmethod
    def _named_once(cls, shops: list[ShopProfile]) -> list[ShopProfile]:
        names = [profile.shop for profile in shops]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} is listed twice; keep one entry per shop")
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

    inbound_domain: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$",
        max_length=190,
        description="The domain whose mail our receiver gets: answers and bounces go to addresses in it.",
    )
    inbound_authserv_id: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9.-]+$",
        description="The name under which our own mail server writes Authentication-Results.",
    )
    inbound_protocol: InboundProtocol = Field(
        default=InboundProtocol.LMTP, description="Protocol by which our mail server hands mails over."
    )
    inbound_host: str = Field(default="127.0.0.1", description="Address on which our receiver listens.")
    inbound_port: int | None = Field(
        default=None, ge=0, le=65535, description="Its port; without one it does not listen."
    )
    inbound_certificate_file: Path | None = Field(
        default=None, description="PEM of our receiver's certificate. With it STARTTLS is required there."
    )
    inbound_key_file: Path | None = Field(default=None, description="PEM of its private key.")
    smtp_host: str = Field(default="127.0.0.1", description="The mail server.")
    smtp_port: int = Field(default=25, ge=1, le=65535, description="Its port.")
    smtp_security: Security = Field(
        default=Security.NONE,
        description="Protection of the connection: TLS from its beginning, STARTTLS, or none.",
    )
    smtp_username: str | None = Field(
        default=None, description="Login at the mail server, with its password."
    )
    smtp_password: SecretStr | None = Field(default=None, description="Its password.")
    smtp_hello_name: str = Field(
        default="localhost", pattern=r"^[A-Za-z0-9.\-\[\]:]+$", description="Our name in EHLO."
    )
    smtp_connections: int = Field(
        default=3, ge=1, le=16, description="Maximum number of simultaneous connections."
    )
    smtp_timeout_seconds: float = Field(
        default=30.0, gt=0, le=600, description="For one mail, all steps together."
    )
    smtp_mails_per_connection: int = Field(
        default=100, ge=1, description="Maximum number of mails per connection; it is then replaced."
    )
    smtp_idle_seconds: float = Field(
        default=60.0, gt=0, description="A connection that was idle for longer is replaced."
    )
    smtp_mails_per_minute: int | None = Field(
        default=None, ge=1, description="Maximum number of mails per minute, if the mail server has a limit."
    )
    smtp_ca_file: Path | None = Field(
        default=None,
        description="PEM of the authorities that the mail server's certificate must come from, if not the system's.",
    )
    payments_url: str | None = Field(
        default=None,
        pattern=r"^https?://[A-Za-z0-9.\-\[\]:]+$",
        description="Where the payments service answers: the PDFs of invoices are fetched there.",
    )
    page_url: str | None = Field(
        default=None,
        pattern=r"^https?://[A-Za-z0-9.\-\[\]:]+$",
        description="Where customers open the page of their order; with it their mails have a link.",
    )
    mail_give_up_hours: float = Field(
        default=120.0, gt=0, description="A mail deferred for longer than this has failed,"
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

    @field_validator("smtp_ca_file")
    @classmethod
    def _has_authorities_of_mail(cls, file: Path | None) -> Path | None:
        if file is not None:
            tls.trusting(file)
        return file

    @model_validator(mode="after")
    def _sends_and_receives_by_tls(self) -> Self:
        if self.smtp_ca_file is not None and self.smtp_security is Security.NONE:
            raise ValueError("COMPTOIR_SMTP_CA_FILE is set: set COMPTOIR_SMTP_SECURITY to starttls or tls")
        if self.inbound_certificate_file is not None and self.inbound_port is None:
            raise ValueError("COMPTOIR_INBOUND_CERTIFICATE_FILE is set: set COMPTOIR_INBOUND_PORT too")
        check_pair(self, "inbound_certificate_file", "inbound_key_file")
        return self

    @model_validator(mode="after")
    def _receives_for_a_domain(self) -> Self:
        if self.inbound_port is not None and self.inbound_domain is None:
            raise ValueError(
                "COMPTOIR_INBOUND_PORT is set: set COMPTOIR_INBOUND_DOMAIN, for which it receives mail"
            )
        return self

    def resends(self, template: Template) -> bool:
        """Return whether an uncertain mail of this template is sent again without a staff decision."""
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
