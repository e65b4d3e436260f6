"""Settings as pydantic-settings reads them here: from `COMPTOIR_…` variables, and from files (`setting_files.py`)."""

import json
import os
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from services.chassis.setting_files import PREFIX, Fault, read_settings


class GivenSettings(BaseSettings):
    """Settings read from COMPTOIR_… variables and files; an empty variable counts as not set."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", hide_input_in_errors=True)

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *sources: PydanticBaseSettingsSource, **named: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources: arguments, then variables and files."""
        return named["init_settings"], _VariablesAndFiles(settings_cls)


class _VariablesAndFiles(PydanticBaseSettingsSource):
    """The environment's variables, and the files they name. A setting that can't be read is a `Fault`, which no type
    accepts: the validation reports it with all others."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the value of one setting, None when it is not given."""
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        variables = {
            name.upper(): text for name, text in os.environ.items() if name.upper().startswith(PREFIX)
        }
        fields = {variable_of(name): name for name in self.settings_cls.model_fields}
        return {
            fields[variable]: self._value(fields[variable], given)
            for variable, given in read_settings(variables, fields).items()
        }

    def _value(self, name: str, given: str | Fault) -> Any:
        is_json = self.field_is_complex(self.settings_cls.model_fields[name])
        return _decoded(given) if is_json and isinstance(given, str) else given


def variable_of(field_name: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + field_name.upper()


def _decoded(text: Any) -> Any:
    """Return the value of a JSON text, else the text. Raising here would hide all other missing or invalid
    settings."""
    try:
        return json.loads(text)
    except ValueError:
        return text
