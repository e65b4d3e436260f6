"""The image, built from its recipe by a real buildah and entered: what is in it, and that a program runs from it
without rights on a read-only root.

Built is the operators' image, which is the services' with PostgreSQL's client in a folder of its own.

Where it can't be built the tests are skipped with the reason: building it and entering it as its user need root.
"""

import asyncio
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2
import pytest
from cryptography import x509
from ruamel.yaml import YAML

from contracts.catalogue import SERVICES
from deploy.cli.environment import database_variable
from deploy.containers.building import Builder
from deploy.containers.fetching import HERE
from deploy.databases import create_databases, drop_databases
from deploy.demo.standins.paypal.certificates import Authority
from deploy.local.parts import Postgres, RabbitMQ
from deploy.local.ports import free_ports
from deploy.local.system import ROOT, broker_password
from deploy.topology import Management, apply
from services.chassis.messaging.topology import permissions
from services.chassis.testing import wait_until
from tests.tls.conftest import at
from tests.tls.fronts import context_of, in_front_of_postgres

pytestmark = pytest.mark.timeout(400)
TAG = "localhost/comptoir-tested"
PROGRAM = "services.fulfillment"
USER = "10001:10001"
ROOTLESS = (
    "in a user namespace of one id, which is all that a machine without newuidmap and ranges in /etc/subuid allows, "
    "buildah's steps end with 'error setting supplemental groups list: operation not permitted', and nothing can "
    f"become the user {USER}"
)
ENTER = """
set -e
mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"
mount -t tmpfs -o mode=1777 tmpfs "$1/tmp"
mount -t tmpfs tmpfs "$1/run" && mkdir "$1/run/secrets" && mount --bind "$2" "$1/run/secrets"
mount --rbind /dev "$1/dev" && mount --rbind /proc "$1/proc"
root=$1 work=$3 user=$4; shift 4
exec chroot --userspec="$user" "$root" /usr/bin/env -i --chdir="$work" "$@"
"""
"""What a container engine does for `--read-only --tmpfs /tmp`, with the user and the folder that the image names."""


@dataclass(frozen=True)
class Entered:
    """A built image as a folder, and how it says it is run."""

    root: Path
    configuration: Mapping[str, Any]

    def argv(self, *arguments: str, secrets_in: Path, entry: str = "", **env: str) -> list[str]:
        """Return the command that runs the image: read-only, as its user, with a folder of secrets. `entry` replaces
        its entry point.
        """
        variables = dict(line.split("=", 1) for line in self.configuration["Env"]) | env
        entering = ["unshare", "--mount", "--propagation", "private", "--", "sh", "-c", ENTER, "enter"]
        where = [
            str(self.root),
            str(secrets_in),
            self.configuration["WorkingDir"],
            self.configuration["User"],
        ]
        inside = [f"{name}={value}" for name, value in variables.items()]
        return [
            *entering,
            *where,
            *inside,
            *([entry] if entry else self.configuration["Entrypoint"]),
            *arguments,
        ]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Entered]:
    if os.geteuid() != 0:
        pytest.skip(f"the image is built and entered by root only: {ROOTLESS}")
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        pytest.skip("buildah is fetched for Linux on x86-64 only")
    if subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine allows no mounts: unshare --mount fails")
    folder = tmp_path_factory.mktemp("image")
    builder = Builder(folder)
    builder.build(TAG, target="operator", PROGRAM=PROGRAM, REVISION="tested")
    container = builder.run("from", TAG)
    yield Entered(Path(builder.run("mount", container)), builder.configuration(TAG))
    builder.run("umount", container)
    shutil.rmtree(folder)


def test_it_runs_its_program_as_a_user_without_rights_and_has_labels(image: Entered) -> None:
    found = image.configuration
    assert found["User"] == USER
    assert found["Entrypoint"] == ["/opt/comptoir/deploy/containers/run"]
    assert f"COMPTOIR_PROGRAM={PROGRAM}" in found["Env"]
    assert found["Labels"]["org.opencontainers.image.title"] == "Comptoir"
    assert found["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert found["Labels"]["org.opencontainers.image.revision"] == "tested"
    assert not [entry for entry in found["Env"] if re.search("PASSWORD|TOKEN|SECRET|PIP_|proxy", entry)]


def test_only_what_runs_is_inside(image: Entered) -> None:
    inside = image.root / "opt" / "comptoir"
    assert {path.name for path in inside.iterdir()} == {
        *("contracts", "services", "deploy", "LICENSE", "pyproject.toml", "sbom.cdx.json")
    }
    for name in (".git", "var", "tests", "secrets", ".env", "wheels"):
        assert not list(inside.rglob(name)), name
    for tool in ("gcc", "cc", "git", "curl", "apt-get", "dpkg"):
        assert not list(image.root.glob(f"**/bin/{tool}")), tool
    installed = {path.name for path in (image.root / "opt/venv").rglob("site-packages/*")}
    assert not installed & {"pip", "setuptools"}
    files = [path for path in inside.rglob("*") if not path.is_symlink()]
    assert {(path.stat().st_uid, path.stat().st_mode & 0o6022) for path in files} == {(0, 0)}
    volume = (image.root / "backups").stat()
    assert (volume.st_uid, volume.st_gid, volume.st_mode & 0o7777) == (10001, 10001, 0o700)


def test_the_bill_of_materials_is_what_is_installed(image: Entered) -> None:
    bill = json.loads((image.root / "opt/comptoir/sbom.cdx.json").read_text())
    assert bill["bomFormat"] == "CycloneDX"
    assert bill["metadata"]["component"]["name"] == "comptoir"
    listed = {f"{part['name']}=={part['version']}".lower().replace("_", "-") for part in bill["components"]}
    pinned = re.findall(r"(?m)^([\w.-]+==\S+)", (HERE / "requirements.txt").read_text())
    assert {name.replace(".", "-") for name in listed} == {name.lower().replace(".", "-") for name in pinned}
    assert all(part["purl"].startswith("pkg:pypi/") for part in bill["components"])


def test_the_client_is_in_a_folder_of_its_own_and_as_new_as_the_servers(
    image: Entered, tmp_path: Path
) -> None:
    inside = image.root / "opt" / "postgresql"
    assert [path.name for path in image.root.glob("**/pg_dump")] == ["pg_dump"]
    argv = image.argv("-c", "pg_dump --version; pg_restore --version", secrets_in=tmp_path, entry="sh")
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60)
    versions = re.findall(r"\(PostgreSQL\) (\d+)", done.stdout)
    compose = (ROOT / "deploy/compose/compose.yaml").read_text()
    cluster = (ROOT / "deploy/kubernetes/components/cloudnative-pg/cluster.yaml").read_text()
    servers = [*re.findall(r":-postgres:(\d+)", compose), *re.findall(r"major: (\d+)", cluster)]
    assert len(versions) == len(servers) == 2
    assert min(map(int, versions)) >= max(map(int, servers))
    bill = json.loads((inside / "sbom.cdx.json").read_text())
    listed = {f"{part['name']}=={part['version']}" for part in bill["components"]}
    assert listed == set((HERE / "client.in").read_text().split())
    recipe = (HERE / "Containerfile").read_text()
    assert recipe.rstrip().endswith("\nFROM program"), "what is built without a target has no client"


def test_every_command_of_compose_can_be_started(image: Entered, tmp_path: Path) -> None:
    """Each module is imported: a package that the image lacks ends it."""
    text = re.sub(r"\$\{[^}]*\}", "1", (ROOT / "deploy/compose/compose.yaml").read_text())
    services = YAML(typ="safe", pure=True).load(text)["services"].values()
    modules = {one["command"][0] for one in services if "build" in one} - {"status"} | {"deploy.cli"}
    assert len(modules) == 11
    names = [
        name if name in ("deploy.databases", "deploy.local.mailserver") else f"{name}.__main__"
        for name in modules
    ]
    program = f"import importlib\nfor name in {sorted(names)}: importlib.import_module(name)"
    argv = image.argv("-c", program, secrets_in=tmp_path, entry="python")
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def test_nothing_can_be_written_but_in_tmp(image: Entered, tmp_path: Path) -> None:
    program = (
        "import os, pathlib\n"
        "assert os.getuid() == os.getgid() == 10001 and os.getgroups() in ([], [10001])\n"
        "pathlib.Path('/tmp/written').write_text('x')\n"
        "for place in ('/', '/opt/comptoir', '/opt/venv', '/etc'):\n"
        "    try: pathlib.Path(place, 'written').write_text('x')\n"
        "    except OSError as error: print(error.errno)\n"
    )
    argv = image.argv("-c", program, secrets_in=tmp_path, entry="python")
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.split() == ["30"] * 4, done.stderr


@asynccontextmanager
async def surroundings(postgres: Postgres, rabbitmq: RabbitMQ, folder: Path) -> AsyncIterator[None]:
    """A database and a virtual host for fulfillment, with its secrets in `folder`."""
    suffix = secrets.token_hex(4)
    urls = await create_databases(postgres.admin_url, f"_{suffix}")
    parts = urlsplit(rabbitmq.management_url)
    host = parts.netloc.rpartition("@")[2]
    admin = f"http://{quote(rabbitmq.user)}:{quote(rabbitmq.password)}@{host}"
    management = Management(admin, f"image-{suffix}")
    passwords = {user: broker_password(rabbitmq, user) for user in permissions([])}
    await asyncio.to_thread(apply, management, passwords, [])
    broker = urlsplit(rabbitmq.amqp_url).netloc.rpartition("@")[2]
    written = {
        **{database_variable(service).lower(): url for service, url in urls.items()},
        "comptoir_database_url": urls["fulfillment"],
        "comptoir_amqp_url": f"amqp://fulfillment:{passwords['fulfillment']}@{broker}/image-{suffix}",
        "comptoir_internal_token": secrets.token_hex(16),
    }
    folder.chmod(0o755)
    for name, value in written.items():
        (folder / name).write_text(value)
    try:
        yield
    finally:
        await asyncio.to_thread(management.send, "DELETE", f"vhosts/image-{suffix}")
        await drop_databases(postgres.admin_url, f"_{suffix}")


async def output_of(argv: list[str]) -> str:
    """Run a command to its end and return what it wrote."""
    done = await asyncio.create_subprocess_exec(
        *argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, error = await done.communicate()
    assert done.returncode == 0, error.decode()
    return out.decode()


async def backs_up(image: Entered, secrets_in: Path, authority: Authority) -> None:
    """Back the four databases up twice into the tmpfs, by TLS of a private authority, and list what a dump holds."""
    loopback = (x509.IPAddress(ip_address("127.0.0.1")),)
    tls = context_of(secrets_in, authority.issue("comptoir.test", alternatives=loopback))
    encrypted = secrets_in / "encrypted"
    encrypted.mkdir()
    (encrypted / "root.pem").write_bytes(authority.root_pem)
    target = urlsplit((secrets_in / "comptoir_database_url").read_text()).port
    assert target is not None
    async with in_front_of_postgres(target, tls) as port:
        for service in SERVICES:
            name = database_variable(service).lower()
            (encrypted / name).write_text(at((secrets_in / name).read_text(), port))
        again = "python -m deploy.cli backup /tmp/backups --keep 1 --json"
        command = f"{again} && {again} && pg_restore --list /tmp/backups/*/orders.dump"
        env = {"COMPTOIR_SECRETS_DIR": "/run/secrets", "COMPTOIR_DATABASE_CA_FILE": "/run/secrets/root.pem"}
        output = await output_of(image.argv("-c", command, secrets_in=encrypted, entry="sh", **env))
        argv = image.argv(
            "-m", "deploy.cli", "backup", "/etc", "--keep", "1", secrets_in=encrypted, entry="python", **env
        )
        refused = await asyncio.create_subprocess_exec(*argv, stderr=asyncio.subprocess.PIPE)
        _, why = await refused.communicate()
    assert (refused.returncode, b"could not write to /etc: give it to the user" in why) == (2, True), why
    first, second, listed = output.split("\n", 2)
    assert json.loads(first)["databases"].keys() == set(SERVICES)
    assert json.loads(second)["removed"] == [json.loads(first)["folder"]]
    assert "TABLE DATA public orders comptoir_orders" in listed


async def test_a_program_migrates_runs_is_ready_and_ends(
    image: Entered, postgres: Postgres, rabbitmq: RabbitMQ, tmp_path: Path, authority: Authority
) -> None:
    """A backup is made by TLS before the program starts."""
    [port] = free_ports(1)
    env = {"COMPTOIR_SECRETS_DIR": "/run/secrets", "COMPTOIR_HTTP_PORT": str(port)}
    async with surroundings(postgres, rabbitmq, tmp_path):
        await output_of(image.argv("-m", "deploy.cli", "migrate", secrets_in=tmp_path, entry="python", **env))
        await backs_up(image, tmp_path, authority)
        running = await asyncio.create_subprocess_exec(
            *image.argv(secrets_in=tmp_path, **env), stderr=asyncio.subprocess.DEVNULL
        )
        try:
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:

                async def ready() -> bool:
                    try:
                        return (await http.get("/readyz")).status_code == 200
                    except httpx2.HTTPError:
                        return False

                await wait_until(ready, seconds=60)
                assert (await http.get("/livez")).text == "alive"
            status = Path(f"/proc/{running.pid}/status").read_text()
            assert "Uid:\t10001\t10001\t10001\t10001" in status
            assert "CapEff:\t0000000000000000" in status
            running.terminate()
            assert await asyncio.wait_for(running.wait(), 30) == 0
        finally:
            if running.returncode is None:
                running.kill()
                await running.wait()
