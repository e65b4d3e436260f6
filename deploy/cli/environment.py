"""Settings of the command line: addresses and secrets, by the names that the services use.

They are read from the environment, from a file of `NAME=VALUE` lines (`--env-file` or COMPTOIR_ENV_FILE) and from the
files of COMPTOIR_SECRETS_DIR, one for each setting; the first of these that has a value is used. In each of the first
two, NAME_FILE may name a file with the value instead. No secret is an argument: arguments are visible to every user of
the machine.
"""

import ssl
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from dotenv.parser import parse_stream

from contracts.catalogue import SERVICES
from deploy.cli.failures import NotConfigured
from services.chassis.setting_files import (
    FILE,
    PREFIX,
    SECRETS_DIR,
    Fault,
    Given,
    SecretsDirUnreadable,
    read_file,
    read_settings,
    secret_files,
)
from services.chassis.texts import fault_of_setting, fault_of_url
from services.chassis.tls import Contradiction, TlsUnusable, extended, of_database, trusting
from services.chassis.unknown_settings import given_names, unknown_settings, warning_of

ENV_FILE = "COMPTOIR_ENV_FILE"
PASSWORD = "COMPTOIR_PASSWORD_"
SERVICES_CA, BROKER_CA, DATABASE_CA = (
    "COMPTOIR_SERVICES_CA_FILE",
    "COMPTOIR_AMQP_CA_FILE",
    "COMPTOIR_DATABASE_CA_FILE",
)
NAMES = {
    "COMPTOIR_INTERNAL_TOKEN",
    "COMPTOIR_METRICS_TOKEN",
    "COMPTOIR_OTLP_HEADERS",
    "COMPTOIR_POSTGRES_ADMIN_URL",
    "COMPTOIR_RABBITMQ_MANAGEMENT_URL",
    "COMPTOIR_VHOST",
    "COMPTOIR_STOREFRONTS",
    *(f"COMPTOIR_{service.upper()}{part}" for service in SERVICES for part in ("_URL", "_DATABASE_URL")),
}


def read_environment(variables: Mapping[str, str], env_file: Path | None = None) -> dict[str, str]:
    """Return the settings by name, without the empty ones, and warn on standard error of names that are no setting's.
    Raises NotConfigured when a file can't be read, or a value is one that no program can use."""
    written = _env_file(env_file) if env_file is not None else {}
    for name, text in (*written.items(), *variables.items()):
        if name.startswith(PREFIX) and (fault := fault_of_setting(text)):
            raise NotConfigured(f"{name} {fault}")
    for name, nearest in unknown_settings(given_names({**written, **variables})).items():
        sys.stderr.write(f"{warning_of(name, nearest)}\n")
    folder = variables.get(SECRETS_DIR) or written.get(SECRETS_DIR)
    secrets = _secret_files(Path(folder)) if folder else {}
    return secrets | _with_files(written) | _with_files(variables)


def _env_file(file: Path) -> dict[str, str]:
    try:
        with file.open(encoding="utf-8") as lines:
            found = list(parse_stream(lines))
    except (OSError, UnicodeDecodeError) as error:
        raise NotConfigured(
            f"could not read {file} ({_why(error)}): name a file of NAME=VALUE lines in --env-file or {ENV_FILE}"
        ) from None
    for one in found:
        if one.error or (one.key is not None and one.value is None):
            text = one.original.string
            line = one.original.line + text[: len(text) - len(text.lstrip())].count("\n")
            raise NotConfigured(
                f"{file}, line {line} is not NAME=VALUE: correct it, or begin it with # to ignore it"
            )
    return {one.key: one.value for one in found if one.key and one.value}


def _with_files(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that have a value, and the settings whose values are in files that variables name."""
    set_here = {name: value for name, value in variables.items() if value}
    names = {name.removesuffix(FILE) for name in set_here if name.endswith(FILE)}
    without_folder = {name: value for name, value in set_here.items() if name != SECRETS_DIR}
    found = read_settings(without_folder, filter(_is_setting, sorted(names)))
    return set_here | {name: _text(name, given) for name, given in found.items()}


def _secret_files(folder: Path) -> dict[str, str]:
    """Return the settings of a directory with one file for each, by name in capitals."""
    try:
        files = secret_files(folder)
    except SecretsDirUnreadable as error:
        raise NotConfigured(str(error)) from None
    return {
        name: _text(name, read_file(file, str(file))) for name, file in files.items() if _is_setting(name)
    }


def _text(name: str, given: Given) -> str:
    if isinstance(given, Fault):
        raise NotConfigured(f"{name}: {given.text}")
    return given


def _is_setting(name: str) -> bool:
    return name in NAMES or name.startswith(PASSWORD)


def _why(error: OSError | UnicodeDecodeError) -> str:
    return "not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror or type(error).__name__


def trusted_by(environment: Mapping[str, str], setting: str) -> ssl.SSLContext | bool:
    """Return the TLS of a client that trusts the authorities of a setting; True, the system's, without it."""
    file = environment.get(setting)
    try:
        return trusting(Path(file)) if file else True
    except TlsUnusable as error:
        raise NotConfigured(f"{setting}: {error}") from None


def database_variable(service: str) -> str:
    """Return the name of the setting with the URL of a service's database."""
    return f"COMPTOIR_{service.upper()}_DATABASE_URL"


def database_urls(environment: Mapping[str, str], services: Iterable[str] = SERVICES) -> dict[str, str]:
    """Return the database URL by service. Raises NotConfigured naming every setting that is missing."""
    names = {service: database_variable(service) for service in services}
    if missing := [name for name in names.values() if not environment.get(name)]:
        raise NotConfigured(
            f"set {', '.join(missing)} to postgresql://user:password@host/database, in the environment, --env-file or "
            "as secret files"
        )
    urls = {service: environment[name] for service, name in names.items()}
    for service, url in urls.items():
        if not url.startswith(("postgresql://", "postgres://")):
            raise NotConfigured(f"{names[service]} must begin with postgresql://")
        if fault := fault_of_url(url):
            raise NotConfigured(f"{names[service]} {fault}")
    return {service: verified(names[service], url, environment) for service, url in urls.items()}


def verified(name: str, url: str, environment: Mapping[str, str]) -> str:
    """Return a database's URL, with the parameters of TLS if the authorities are set. Raises NotConfigured."""
    file = environment.get(DATABASE_CA)
    trusted_by(environment, DATABASE_CA)
    try:
        return extended(url, of_database(Path(file))) if file else url
    except Contradiction as error:
        raise NotConfigured(
            f"{name} and {DATABASE_CA} contradict each other: the URL has another {error}; remove it there"
        ) from None
