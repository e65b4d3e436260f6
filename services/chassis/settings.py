"""A service's settings: from the environment (`COMPTOIR_…`) or a directory of secret files.

All missing and invalid settings are reported together, at start; nothing has a default that suits only a
demonstration.
"""

import json
import os
from typing import Any, Self, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

PREFIX = "COMPTOIR_"
_NOT_JSON = {
    "list_type": "must be a JSON list",
    "tuple_type": "must be a JSON list",
    "dict_type": "must be a JSON object",
}
"""Replacements for pydantic's messages about text of these types, which name Python types."""


class ServiceSettings(BaseSettings):
    """Settings that every service needs."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        extra="ignore",
        hide_input_in_errors=True,
        env_ignore_empty=True,
        secrets_dir=os.environ.get("COMPTOIR_SECRETS_DIR"),
    )

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
    http_host: str = Field(default="127.0.0.1", description="Address to listen on.")
    http_port: int = Field(ge=0, le=65535, description="Port to listen on.")
    log_level: str = Field(
        default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least level that is logged."
    )
    pool_size: int = Field(default=8, ge=2, le=100, description="Most connections to PostgreSQL.")
    batch_size: int = Field(default=100, ge=1, le=1000, description="Most messages in one commit.")
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
        default=12, ge=1, description="Then a failing message is dead and waits for a person."
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

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *sources: PydanticBaseSettingsSource, **named: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources: arguments, environment, secret files; text that is not JSON is left for the
        validation to report."""
        return named["init_settings"], _Environment(settings_cls), _SecretFiles(settings_cls)

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("must begin with postgresql://; Comptoir needs PostgreSQL")
        return url

    @field_validator("amqp_url")
    @classmethod
    def _is_amqp(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith(("amqp://", "amqps://")):
            raise ValueError("must begin with amqp:// or amqps://")
        return url

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


class _Environment(EnvSettingsSource):
    """The environment variables."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """Return the value of a JSON text; the text itself when it is not JSON."""
        return _decoded(value)


class _SecretFiles(SecretsSettingsSource):
    """Secret files, one for each setting."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        """Return the value of a JSON text; the text itself when it is not JSON."""
        return _decoded(value)


def _decoded(text: Any) -> Any:
    """Return the value of a JSON text, else the text. Raising here would hide all other missing or invalid
    settings."""
    try:
        return json.loads(text)
    except ValueError:
        return text


S = TypeVar("S", bound=ServiceSettings)


def load_settings(kind: type[S]) -> S:
    """Return the settings. Raises SystemExit with the full list of missing and invalid ones and how to set them."""
    try:
        return kind()
    except ValidationError as error:
        raise SystemExit(_explain(kind, error)) from None


def _explain(kind: type[ServiceSettings], error: ValidationError) -> str:
    lines = [f"{kind.__name__}: {error.error_count()} invalid settings:"]
    for problem in error.errors(include_input=False, include_url=False):
        name = str(problem["loc"][0]) if problem["loc"] else ""
        field = kind.model_fields.get(name)
        meaning = f"  ({field.description})" if field and field.description else ""
        said = _NOT_JSON.get(problem["type"], problem["msg"])
        lines.append(f"  {PREFIX + name.upper() + ': ' if name else ''}{said}{meaning}")
    return "\n".join(
        [*lines, "Set them in the environment, or as files in the directory COMPTOIR_SECRETS_DIR."]
    )
