"""compose.yaml: valid by the Compose specification's schema, hardened, without a password, and with settings that
every program accepts.
"""

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from deploy.compose.__main__ import FOLDER, main
from deploy.credentials import OWNER
from deploy.local.postgres import LASTING, SETTINGS
from deploy.local.system import module_of
from services.chassis.http.health import PUBLIC_PATHS
from services.chassis.setting_files import PREFIX
from services.chassis.unknown_settings import unknown_settings

HERE = FOLDER.parent
TEXT = (HERE / "compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = YAML(typ="safe", pure=True).load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
ONCE = {"databases", "migrate", "topology", "comptoir", "backup", "made-up-orders"}
VERSIONED = re.compile(r"[\w./-]+:v?\d[\w.-]*(@sha256:[0-9a-f]{64})?")
ADDRESS = re.compile(r"https?://(?P<host>[\w.-]+):(?P<port>\d+)(?P<path>[^'\s]*)")
AUTOVACUUM = {
    f"{name}={value}"
    for name, value in re.findall(r"(?m)^(autovacuum\w+) = (\S+)$", SETTINGS.format(port=0, **LASTING))
}
"""Settings of autovacuum of the private PostgreSQL."""
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<operator>:-|:\?)?(?P<text>[^}]*)\}")


def checked(file: Path) -> subprocess.CompletedProcess[str]:
    """Check a file with the Compose specification's schema."""
    argv = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """Return the text with its variables replaced as Compose does. Raises LookupError with a missing one's message."""

    def value(found: re.Match[str]) -> str:
        if chosen := variables.get(found["name"]):
            return chosen
        if found["operator"] != ":-":
            raise LookupError(f"{found['name']}: {found['text']}")
        return found["text"]

    return VARIABLE.sub(value, text)


def env_example() -> dict[str, str]:
    lines = (HERE / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_it_is_valid_by_the_specifications_schema(tmp_path: Path) -> None:
    done = checked(HERE / "compose.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    misspelt = tmp_path / "compose.yaml"
    misspelt.write_text(TEXT.replace("read_only: true", "readonly: true"))
    assert checked(misspelt).returncode == 1


def test_every_container_has_only_the_rights_it_needs() -> None:
    for name, service in SERVICES.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in service, name
        assert service["logging"]["options"]["max-size"], name
        assert service["deploy"]["resources"]["limits"]["memory"], name
    for name, service in OURS.items():
        assert service["read_only"] is True, name
        assert service["user"] == "10001:10001", name
        assert "cap_add" not in service, name


def test_everything_that_stays_has_a_health_check_and_nothing_listens_beyond_this_machine() -> None:
    for name in SERVICES.keys() - ONCE:
        assert SERVICES[name]["healthcheck"]["test"][0] == "CMD", name
        assert SERVICES[name]["restart"] == "unless-stopped", name
    for name in ONCE:
        assert "healthcheck" not in SERVICES[name], name
        assert "restart" not in SERVICES[name], name
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(ports) == 8
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert "ports" not in SERVICES["postgres"]
    assert COMPOSE["networks"]["back"] == {"internal": True}


def test_programs_wait_for_migrations_and_topology_and_nothing_waits_for_what_does_not_exist() -> None:
    for name in OWNER:
        assert SERVICES[name]["depends_on"].keys() == {"migrate", "topology"}, name
    for name, service in SERVICES.items():
        for other, condition in service.get("depends_on", {}).items():
            ended = condition["condition"] == "service_completed_successfully"
            assert ended == (other in ONCE), (name, other)
            assert ended or "healthcheck" in SERVICES[other], (name, other)
            assert set(SERVICES[other].get("profiles", ())) <= set(service.get("profiles", ())), name


def test_postgres_is_vacuumed_as_the_private_one() -> None:
    assert AUTOVACUUM
    assert options_of(SERVICES["postgres"]) == AUTOVACUUM


def options_of(postgres: Mapping[str, Any]) -> set[str]:
    """Return the settings on a server's command line: `postgres -c NAME=VALUE …`."""
    program, *options = postgres["command"]
    assert program == "postgres"
    assert set(options[::2]) == {"-c"}
    return set(options[1::2])


def test_what_is_not_always_needed_starts_by_profile() -> None:
    profiles = {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service}
    assert profiles == {
        "prometheus": ["watch"],
        "alertmanager": ["watch"],
        "grafana": ["watch"],
        "mail": ["demo"],
        "made-up-orders": ["demo"],
        "comptoir": ["operator"],
        "backup": ["operator"],
    }


def test_no_password_is_in_it_or_has_a_default() -> None:
    named = re.compile(r"password|secret|token|_key|amqp_url|database_url", re.IGNORECASE)
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            is_a_place = variable == "COMPTOIR_SECRETS_DIR" or str(value).startswith("/run/secrets/")
            assert is_a_place or not named.search(variable), (name, variable)
    assert [name for name in VARIABLE.findall(TEXT) if named.search(name[0])] == []
    assert not re.search(r"\w+://[^/\s]+:[^/\s]+@", TEXT)


def test_every_file_that_is_mounted_is_in_the_repository_or_written_by_the_command(tmp_path: Path) -> None:
    main(["--demo", "--folder", str(tmp_path)])
    files = [entry["file"] for kind in ("configs", "secrets") for entry in COMPOSE[kind].values()]
    binds = [volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])]
    sources = {source for source in [*files, *binds] if source.startswith(".")}
    assert len(sources) > 15
    for source in sources:
        in_secrets = source.removeprefix("./secrets/")
        path = tmp_path / in_secrets if in_secrets != source else HERE / source
        assert path.exists(), source
    volumes = {source for source in binds if not source.startswith(".")}
    assert volumes == COMPOSE["volumes"].keys()
    assert SERVICES["backup"]["volumes"] == SERVICES["comptoir"]["volumes"]
    assert "backups:/backups:ro" in SERVICES["auditor"]["volumes"]
    for name, service in OURS.items():
        with_client = service["build"].get("target") == "operator"
        assert with_client == (name in ("backup", "comptoir")), name
    used = {
        entry if isinstance(entry, str) else entry["source"]
        for service in SERVICES.values()
        for kind in ("configs", "secrets")
        for entry in service.get(kind, [])
    }
    assert used == COMPOSE["configs"].keys() | COMPOSE["secrets"].keys()


def test_without_a_mail_server_the_missing_variable_is_named() -> None:
    with pytest.raises(LookupError, match=r"COMPTOIR_SMTP_HOST: set it in \.env to your mail server"):
        interpolated(TEXT, {})


@pytest.mark.parametrize("program", sorted(OWNER))
def test_every_program_accepts_its_settings(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main(["--demo", "--folder", str(tmp_path)])
    service = YAML(typ="safe", pure=True).load(interpolated(TEXT, env_example()))["services"][program]
    assert service["command"] == [module_of(program)]
    assert service["volumes"] == [f"./secrets/{program}:/run/secrets:ro"]
    for variable in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(variable)
    for variable, value in service["environment"].items():
        monkeypatch.setenv(variable, str(value))
    declared = importlib.import_module(f"{module_of(program)}.app").SERVICE.settings
    monkeypatch.setenv("COMPTOIR_SECRETS_DIR", str(tmp_path / program))
    settings = declared()
    assert (settings.http_host, settings.http_port) == ("0.0.0.0", 8000)
    assert settings.metrics_token is not None


def test_every_image_is_named_by_its_version_and_can_be_named_by_digest() -> None:
    theirs = {name: service["image"] for name, service in SERVICES.items() if name not in OURS}
    assert theirs.keys() == {"postgres", "rabbitmq", "prometheus", "alertmanager", "grafana"}
    by_default = YAML(typ="safe", pure=True).load(interpolated(TEXT, env_example()))["services"]
    digest = f"@sha256:{'0' * 64}"
    chosen = {f"COMPTOIR_{name.upper()}_IMAGE": by_default[name]["image"] + digest for name in theirs}
    by_digest = YAML(typ="safe", pure=True).load(interpolated(TEXT, env_example() | chosen))["services"]
    for name in theirs:
        assert VERSIONED.fullmatch(by_default[name]["image"]), name
        assert by_digest[name]["image"] == by_default[name]["image"] + digest
    assert not VERSIONED.fullmatch("postgres:latest")
    assert not VERSIONED.fullmatch("postgres")


def test_every_setting_is_one_that_a_program_reads(tmp_path: Path) -> None:
    main(["--demo", "--folder", str(tmp_path)])
    variables = {name for service in OURS.values() for name in service.get("environment", {})}
    files = {file.name for folder in tmp_path.iterdir() if folder.is_dir() for file in folder.iterdir()}
    names = variables | files | env_example().keys() | {found["name"] for found in VARIABLE.finditer(TEXT)}
    assert len(names) > 40
    assert unknown_settings(names - {"FORWARDED_ALLOW_IPS"}) == {}


def test_every_address_is_a_container_that_listens_there() -> None:
    listening = {
        (name, service["environment"].get("COMPTOIR_HTTP_PORT"))
        for name, service in OURS.items()
        if name in OWNER
    }
    listening |= {("auditor", "8000"), ("page", "9000"), ("rabbitmq", "15692"), ("prometheus", "9090")}
    listening |= {("alertmanager", "9093")}
    settings = [value for service in OURS.values() for value in service.get("environment", {}).values()]
    named = [ADDRESS.match(str(value)) for value in settings]
    scraped = [
        entry
        for file in (HERE / "targets").glob("*.json")
        for group in json.loads(file.read_text())
        for entry in group["targets"]
    ]
    reached = {(found["host"], found["port"]) for found in named if found}
    reached |= {tuple(target.split(":")) for target in scraped}
    reached |= {tuple(found[:2]) for found in ADDRESS.findall((HERE / "datasources.yaml").read_text())}
    assert reached - listening == set()
    assert listening - reached == {("page", "8000")}  # customers reach it from outside only
    assert SERVICES["page"]["environment"]["COMPTOIR_METRICS_PORT"] == "9000"
    assert "0.0.0.0:8000" in SERVICES["auditor"]["command"]


def test_every_health_check_and_published_port_is_one_that_its_program_serves() -> None:
    for name in [*OWNER, "auditor"]:
        requested = ADDRESS.search(SERVICES[name]["healthcheck"]["test"][-1])
        assert requested is not None
        assert (requested["host"], requested["port"]) == ("127.0.0.1", "8000"), name
        assert requested["path"] in PUBLIC_PATHS, name
        for port in SERVICES[name].get("ports", ()):
            assert port.endswith(":8000"), name
