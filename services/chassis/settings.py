"""A service's settings: from the environment (`COMPTOIR_…`) or from files (`setting_files.py`).

All missing and invalid settings are reported together, at start; nothing has a default that suits only a
demonstration.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Self, TypeVar
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator

from services.chassis import tls
from services.chassis.faults.setting_faults import meaning_of, setting_fault
from services.chassis.given_settings import GivenSettings, variable_of
from services.chassis.setting_files import FILE, SECRETS_DIR, Fault, SecretsDirUnreadable
from services.chassis.texts import fault_of_url, fits_a_header

SERVICE_URLS = ("orders_url", "payments_url", "fulfillment_url", "notifier_url", "auditor_url")
"""Settings with the address of another process of Comptoir, in the classes that have them."""


class ServiceSettings(GivenSettings):
    """Settings that every service needs."""

    database_url: SecretStr = Field(description="PostgreSQL of this service, with its role: postgresql://…")
    amqp_url: SecretStr = Field(description="RabbitMQ with this service's user: amqp://…")
    internal_token: SecretStr = Field(
        min_length=16, description="Bearer token of the read-only and operators' routes."
    )
    metrics_token: SecretStr | None = Field(
        default=None, min_length=16, description="Bearer token that opens /metrics and nothing else."
    )
    broker_management_url: SecretStr | None = Field(
        default=None,
        description="RabbitMQ's management, to watch the bindings: http://host:15672. Without credentials in it the "
        "service's own login is used.",
    )
    database_ca_file: Path | None = Field(
        default=None,
        description="PEM of the authorities that the database's certificate must come from. With it every connection "
        "is encrypted and its host name verified (sslmode verify-full).",
    )
    amqp_ca_file: Path | None = Field(
        default=None,
        description="PEM of the authorities that the certificates of RabbitMQ (amqps, and https of its management) "
        "must come from, if not the system's.",
    )
    amqp_certificate_file: Path | None = Field(
        default=None, description="PEM of our certificate, where RabbitMQ requires one of its clients."
    )
    amqp_key_file: Path | None = Field(default=None, description="PEM of its private key.")
    services_ca_file: Path | None = Field(
        default=None,
        description="PEM of the authorities that the certificates of Comptoir's other processes must come from, if not "
        "the system's. With it their addresses must be https.",
    )
    http_host: str = Field(default="127.0.0.1", description="Address to listen on.")
    http_port: int = Field(ge=0, le=65535, description="Port to listen on.")
    http_certificate_file: Path | None = Field(
        default=None,
        description="PEM of our certificate, with those between it and its authority. With it all ports of the process "
        "serve https alone.",
    )
    http_key_file: Path | None = Field(default=None, description="PEM of its private key.")
    metrics_host: str = Field(default="127.0.0.1", description="Address of COMPTOIR_METRICS_PORT.")
    metrics_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Port for health and metrics only. A process exposed to the public serves its metrics only there.",
    )
    log_level: str = Field(
        default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Lowest level that is logged."
    )
    pool_size: int = Field(
        default=8, ge=2, le=100, description="Maximum number of connections to PostgreSQL."
    )
    batch_size: int = Field(
        default=100, ge=1, le=1000, description="Maximum number of messages in one commit."
    )
    lease_seconds: float = Field(
        default=10.0, gt=0, description="A dead process's outbox rows are taken over after it."
    )
    effect_lease_seconds: float = Field(
        default=60.0, gt=0, description="An effect in flight longer than this is uncertain."
    )
    retry_seconds: float = Field(
        default=1.0, gt=0, description="First delay of a retry; doubles up to 15 minutes."
    )
    retry_attempts: int = Field(
        default=12, ge=1, description="Then a failing message is dead and waits for an operator."
    )
    watchdog_seconds: float = Field(
        default=60.0, gt=0, description="Without progress for this long the process exits."
    )
    inbox_days: int = Field(default=45, ge=2, description="How long a message is remembered.")
    ended_days: int = Field(
        default=90,
        ge=2,
        description="How long what ended is kept: parked messages, replays, resyncs. Unless set, it grows with "
        "`COMPTOIR_INBOX_DAYS`.",
    )
    event_log_days: int = Field(default=30, ge=1, description="How long events can be replayed.")

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("must begin with postgresql://; Comptoir needs PostgreSQL")
        if fault := fault_of_url(url.get_secret_value()):
            raise ValueError(fault)
        return url

    @field_validator("internal_token", "metrics_token")
    @classmethod
    def _fits_a_header(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and not fits_a_header(token.get_secret_value()):
            raise ValueError(
                "has a character that no HTTP header can carry; use ASCII letters, digits and signs"
            )
        return token

    @field_validator("amqp_url")
    @classmethod
    def _is_amqp(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith(("amqp://", "amqps://")):
            raise ValueError("must begin with amqp:// or amqps://")
        if dict(parse_qsl(urlsplit(url.get_secret_value()).query)).get("no_verify_ssl", "0") != "0":
            raise ValueError(
                "has no_verify_ssl: certificates are always verified; set COMPTOIR_AMQP_CA_FILE instead"
            )
        return url

    @field_validator("database_ca_file", "amqp_ca_file", "services_ca_file")
    @classmethod
    def _has_authorities(cls, file: Path | None) -> Path | None:
        if file is not None:
            tls.trusting(file)
        return file

    @model_validator(mode="after")
    def _connect_by_tls(self) -> Self:
        """Write the files of TLS into the URLs, where the drivers and dbmate read them."""
        check_pair(self, "amqp_certificate_file", "amqp_key_file")
        check_pair(self, "http_certificate_file", "http_key_file")
        names = {"cafile": "amqp_ca_file", "certfile": "amqp_certificate_file", "keyfile": "amqp_key_file"}
        files: dict[str, str] = {
            part: str(file) for part, name in names.items() if (file := getattr(self, name)) is not None
        }
        if files and not self.amqp_url.get_secret_value().startswith("amqps://"):
            name = variable_of(names[next(iter(files))])
            raise ValueError(f"{name} is set: COMPTOIR_AMQP_URL must begin with amqps://")
        self.amqp_url = _extended("amqp_url", self.amqp_url, files, names)
        if self.database_ca_file is not None:
            wanted = tls.of_database(self.database_ca_file)
            names = dict.fromkeys(wanted, "database_ca_file")
            self.database_url = _extended("database_url", self.database_url, wanted, names)
        return self

    @model_validator(mode="after")
    def _call_services_by_https(self) -> Self:
        for name, url in self.service_urls.items():
            if self.services_ca_file is not None and not url.startswith("https:"):
                raise ValueError(
                    f"COMPTOIR_SERVICES_CA_FILE is set: {variable_of(name)} must begin with https://"
                )
        return self

    @property
    def service_urls(self) -> dict[str, str]:
        """Return the addresses of other processes of Comptoir that are set, by setting."""
        urls = {name: getattr(self, name, None) for name in SERVICE_URLS}
        return {name: str(url) for name, url in urls.items() if url is not None}

    @model_validator(mode="after")
    def _keep_what_ended_as_long_as_messages(self) -> Self:
        """Keep ended work as long as messages are remembered: an installation that set only the latter must
        still start."""
        if "ended_days" not in self.model_fields_set:
            self.ended_days = max(self.ended_days, self.inbox_days)
        return self

    @model_validator(mode="after")
    def _remember_longer_than_replay(self) -> Self:
        """Require a longer retention than the replay period: an event that consumers' inboxes no longer hold
        would be handled a second time when replayed, or parked."""
        if self.inbox_days <= self.event_log_days:
            raise ValueError("COMPTOIR_INBOX_DAYS must exceed COMPTOIR_EVENT_LOG_DAYS")
        if self.ended_days < self.inbox_days:
            raise ValueError("COMPTOIR_ENDED_DAYS must not be less than COMPTOIR_INBOX_DAYS")
        return self


def check_pair(settings: GivenSettings, certificate: str, key: str) -> None:
    """Check that a certificate and its key are set together and belong together. Raises ValueError."""
    files = (getattr(settings, certificate), getattr(settings, key))
    if (files[0] is None) != (files[1] is None):
        raise ValueError(f"set both {variable_of(certificate)} and {variable_of(key)}, or neither")
    if files[0] is not None:
        try:
            tls.check_pair(*files)
        except tls.TlsUnusable as error:
            raise ValueError(f"{variable_of(certificate)}, {variable_of(key)}: {error}") from None


def _extended(
    url_setting: str, url: SecretStr, wanted: Mapping[str, str], names: Mapping[str, str]
) -> SecretStr:
    """Return a URL with further parameters, given by the settings `names`. Raises ValueError when it has another
    value of one of them."""
    try:
        return SecretStr(tls.extended(url.get_secret_value(), wanted))
    except tls.Contradiction as error:
        part = str(error)
        raise ValueError(
            f"{variable_of(url_setting)} and {variable_of(names[part])} contradict each other: the URL has another "
            f"{part}; remove it there"
        ) from None


S = TypeVar("S", bound=ServiceSettings)


def load_settings(kind: type[S]) -> S:
    """Return the settings. Raises SystemExit with the full list of missing and invalid ones and how to set them."""
    try:
        return kind()
    except ValidationError as error:
        raise SystemExit(_explain(kind, error)) from None
    except SecretsDirUnreadable as error:
        raise SystemExit(f"{kind.__name__}: {error}") from None


def _explain(kind: type[ServiceSettings], error: ValidationError) -> str:
    texts: dict[str, None] = {}
    for problem in error.errors(include_url=False):
        place, given = problem["loc"], problem["input"]
        text = (
            f"{variable_of(str(place[0]))}: {given.text}"
            if isinstance(given, Fault)
            else setting_fault(kind, problem, variable_of)
        )
        meaning = meaning_of(kind, place)
        texts[f"  {text}{f'  ({meaning})' if meaning else ''}"] = None
    return "\n".join(
        [
            f"{kind.__name__}: {len(texts)} invalid settings:",
            *texts,
            f"Set each in the environment, in a file that NAME{FILE} names, or as a file in {SECRETS_DIR}.",
        ]
    )
