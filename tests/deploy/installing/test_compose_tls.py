"""compose.tls.yaml beside compose.yaml: valid, with settings that every program accepts, and options that a real broker
and a real PostgreSQL know.
"""

import importlib
import os
import re
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from ruamel.yaml import YAML

from deploy.compose.__main__ import FOLDER, main
from deploy.credentials import OWNER
from deploy.demo.standins.paypal.certificates import Authority
from deploy.local.parts import Postgres
from deploy.local.rabbitmq import PrivateRabbitMQ
from deploy.local.system import module_of
from services.chassis.setting_files import PREFIX
from tests.deploy.installing.test_compose import COMPOSE, ONCE, checked, env_example, interpolated, options_of

HERE = FOLDER.parent
FILE = HERE / "compose.tls.yaml"
TLS: dict[str, Any] = YAML(typ="safe", pure=True).load(FILE.read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = TLS["services"]
CONNECTING = {*OWNER, "auditor", "migrate", "topology", "backup", "comptoir", "made-up-orders"}


def test_it_is_valid_and_changes_only_what_is_there() -> None:
    done = checked(FILE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert SERVICES.keys() == CONNECTING | {"postgres", "rabbitmq"}
    assert SERVICES.keys() < COMPOSE["services"].keys()
    assert COMPOSE["services"].keys() - SERVICES.keys() - ONCE >= {"mail", "prometheus", "grafana"}
    used = {
        entry["source"]
        for service in SERVICES.values()
        for kind in ("configs", "secrets")
        for entry in service.get(kind, ())
    }
    assert used == TLS["configs"].keys() | TLS["secrets"].keys()
    assert (HERE / TLS["configs"]["rabbitmq_tls"]["file"]).is_file()
    ignored = (HERE.parents[1] / ".gitignore").read_text()
    for entry in TLS["secrets"].values():
        assert entry["file"].startswith("./tls/")
    assert "deploy/compose/tls/" in ignored
    assert "deploy/compose/tls" in (HERE.parents[1] / ".dockerignore").read_text().split()
    readme = (HERE / "README.md").read_text()
    for entry in TLS["secrets"].values():
        assert f"`{Path(entry['file']).name}`" in readme, entry


def test_postgres_keeps_its_other_settings() -> None:
    assert options_of(COMPOSE["services"]["postgres"]) < options_of(SERVICES["postgres"])


def test_every_program_verifies_both_servers() -> None:
    for name in CONNECTING:
        settings, [secret] = SERVICES[name]["environment"], SERVICES[name]["secrets"]
        assert secret == {"source": "tls_ca", "target": "/run/tls/ca.pem"}
        assert settings == dict.fromkeys(
            ("COMPTOIR_DATABASE_CA_FILE", "COMPTOIR_AMQP_CA_FILE"), secret["target"]
        ), name


@pytest.mark.parametrize("program", sorted(OWNER))
def test_every_program_accepts_its_settings(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    main(["--demo", "--tls", "--folder", str(tmp_path)])
    root = tmp_path / "root.pem"
    root.write_bytes(authority.root_pem)
    text = interpolated((HERE / "compose.yaml").read_text(), env_example())
    plain = YAML(typ="safe", pure=True).load(text)["services"][program]["environment"]
    for variable in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(variable)
    trusted = dict.fromkeys(SERVICES[program]["environment"], str(root))
    for variable, value in (plain | trusted).items():
        monkeypatch.setenv(variable, str(value))
    monkeypatch.setenv("COMPTOIR_SECRETS_DIR", str(tmp_path / program))
    settings = importlib.import_module(f"{module_of(program)}.app").SERVICE.settings()
    assert re.match(r"amqps://[^@]+@rabbitmq:5671/comptoir\b", settings.amqp_url.get_secret_value())
    assert "sslmode=verify-full" in settings.database_url.get_secret_value()
    assert (tmp_path / "operator/comptoir_rabbitmq_management_url").read_text().startswith("https://")


def test_a_real_broker_knows_every_option(rabbitmq: PrivateRabbitMQ) -> None:
    options = re.findall(r"(?m)^([\w.]+) = ", (HERE / "rabbitmq-tls.conf").read_text())
    assert len(options) > 10
    plugins = rabbitmq.home.scripts.parent / "lib"
    schemas = [*plugins.glob("rabbitmq_server-*/plugins/rabbit*/priv/schema/*.schema")]
    known = {name for file in schemas for name in re.findall(r'mapping,\s*"([^"]+)"', file.read_text())}
    names = {re.sub(r"^listeners\.ssl\.default$", "listeners.ssl.$name", option) for option in options}
    assert names - known == set()


async def test_a_real_postgres_knows_every_option(postgres: Postgres) -> None:
    command = SERVICES["postgres"]["command"]
    assert command[0] == "postgres"
    options = dict(
        word.split("=") for flag, word in zip(command[1::2], command[2::2], strict=True) if flag == "-c"
    )
    connection = await asyncpg.connect(postgres.admin_url)
    try:
        known = {row["name"] for row in await connection.fetch("SELECT name FROM pg_settings")}
    finally:
        await connection.close()
    assert options.keys() <= known
    assert options["ssl"] == "on"
    copied = SERVICES["postgres"]["entrypoint"][2]
    assert f"/run/tls/key.pem {options['ssl_key_file']}" in copied
    assert copied.endswith('exec docker-entrypoint.sh "$$@"')
