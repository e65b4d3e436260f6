"""`python -m deploy.compose` writes secrets that a real PostgreSQL and a real RabbitMQ accept, and keeps them."""

import json
import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

import aio_pika
import asyncpg
import pytest
from cryptography.fernet import Fernet

from contracts.catalogue import SERVICES
from deploy import databases, topology
from deploy.cli.environment import read_environment
from deploy.compose.__main__ import definitions_of, main, write
from deploy.credentials import ADMINISTRATOR, MONITOR, Installation, Passwords
from deploy.databases import drop_databases
from deploy.local.parts import Postgres, RabbitMQ
from deploy.local.system import broker_password
from deploy.samples.merchants import GARANCE
from deploy.topology import Management
from services.chassis.messaging.topology import Storefront, permissions


def tree(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_second_run_keeps_passwords_and_what_was_edited_and_adds_a_storefront(tmp_path: Path) -> None:
    main(["--demo", "--folder", str(tmp_path)])
    first = tree(tmp_path)
    (tmp_path / "payments/comptoir_stripe_endpoints").chmod(0o644)
    (tmp_path / "payments/comptoir_stripe_endpoints").write_text("[edited]")
    main(["--demo", "--storefront", "other.shop", "--folder", str(tmp_path)])
    second = tree(tmp_path)
    changed = {name for name in first if first[name] != second[name]}
    assert changed == {
        "payments/comptoir_stripe_endpoints",
        "operator/comptoir_storefronts",
        "passwords.json",
    }
    assert second.keys() - first.keys() == {"operator/comptoir_password_storefront_other_shop"}
    assert json.loads(first["passwords.json"]).items() <= json.loads(second["passwords.json"]).items()
    main(["--demo", "--folder", str(tmp_path)])
    assert tree(tmp_path) == second, "a storefront that is not named again is kept"


def test_every_installation_has_passwords_of_its_own_and_only_its_owner_reaches_them(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        main(["--demo", "--folder", str(folder)])
    one, two = (json.loads((folder / "passwords.json").read_text()) for folder in folders)
    assert one.keys() == two.keys()
    assert not set(one.values()) & set(two.values())
    assert len(set(one.values())) == len(one)
    assert folders[0].stat().st_mode & 0o777 == 0o700
    assert (folders[0] / "passwords.json").stat().st_mode & 0o777 == 0o600
    Fernet((folders[0] / "payments/comptoir_payments_secrets_key").read_text())


def test_no_program_has_the_secrets_of_another(tmp_path: Path) -> None:
    main(["--demo", "--folder", str(tmp_path)])
    passwords = json.loads((tmp_path / "passwords.json").read_text())
    for service in SERVICES:
        text = "".join(path.read_text() for path in (tmp_path / service).iterdir())
        for name, password in passwords.items():
            own = name.endswith((f" {service}", "token")) or (service, name) == (
                "payments",
                "payments secrets key",
            )
            assert (password in text) == own, (service, name)


def test_wrong_arguments_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shops, broken, folder = tmp_path / "shops.json", tmp_path / "broken", tmp_path / "secrets"
    broken.mkdir()
    (broken / "passwords.json").write_text('{"metrics token": ')
    for listed, arguments, why in (
        (None, [], "one of the arguments --shops --demo is required"),
        (
            None,
            ["--shops", str(tmp_path / "none.json")],
            "none.json can't be read (No such file or directory)",
        ),
        ("[{", ["--shops", str(shops)], f"{shops} is not JSON"),
        ("{}", ["--shops", str(shops)], f"{shops} must be a JSON list"),
        ("[]", ["--shops", str(shops)], f"{shops} has no shop"),
        (
            '[{"shop": "maison"}]',
            ["--shops", str(shops)],
            f"{shops}[0].name is missing; {shops}[0].merchant_email",
        ),
        (None, ["--demo", "--storefront", "no-dot"], "'no-dot' is not of the form shop.module"),
        (None, ["--demo", "--storefront", "maison.foo"], "'foo' is no module"),
        (None, ["--demo", "--storefront", ""], "a storefront is empty"),
        (
            None,
            ["--demo", "--folder", str(broken)],
            f"{broken / 'passwords.json'} can't be read as passwords",
        ),
    ):
        if listed is not None:
            shops.write_text(listed)
        with pytest.raises(SystemExit) as ended:
            main(["--folder", str(folder), *arguments])
        assert ended.value.code == 2
        assert why in capsys.readouterr().err
        assert not folder.exists(), "nothing is written"


async def test_real_servers_accept_what_was_written(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    postgres: Postgres,
    rabbitmq: RabbitMQ,
) -> None:
    """The steps of compose.yaml: the broker imports its definitions, then databases and topology are made from the
    operator's files alone.
    """
    storefronts = [Storefront(GARANCE.shop, "shop")]
    postgres_at, amqp_at, management_at = (
        urlsplit(url).netloc.rpartition("@")[2]
        for url in (postgres.admin_url, rabbitmq.amqp_url, rabbitmq.management_url)
    )
    known = {f"broker {user}": broker_password(rabbitmq, user) for user in permissions(storefronts)}
    file = tmp_path / "known.json"
    file.write_text(json.dumps(known))
    passwords = Passwords(file)
    installation = Installation(
        postgres_at, amqp_at, management_at, passwords, storefronts, vhost=f"installed-{secrets.token_hex(4)}"
    )
    write(tmp_path / "secrets", installation, [dict(GARANCE.profile)])
    management = Management(f"http://{rabbitmq.user}:{rabbitmq.password}@{management_at}")
    management.send("POST", "definitions", definitions_of(installation))
    operator = tmp_path / "secrets" / "operator"
    (operator / "comptoir_postgres_admin_url").chmod(0o644)
    (operator / "comptoir_postgres_admin_url").write_text(postgres.admin_url)
    monkeypatch.setenv("COMPTOIR_SECRETS_DIR", str(operator))
    for name in ("COMPTOIR_RABBITMQ_MANAGEMENT_URL", "COMPTOIR_VHOST", "COMPTOIR_STOREFRONTS"):
        monkeypatch.delenv(name, raising=False)
    try:
        for _ in range(2):  # both run at every start
            environment = read_environment(os.environ)
            await databases.prepare(
                databases.administrator(environment), databases.chosen_passwords(environment)
            )
            topology.main(["apply"])
        for service in SERVICES:
            connection = await asyncpg.connect(
                (tmp_path / "secrets" / service / "comptoir_database_url").read_text()
            )
            assert await connection.fetchval("SELECT current_database()") == f"comptoir_{service}"
            await connection.close()
            url = (tmp_path / "secrets" / service / "comptoir_amqp_url").read_text()
            async with await aio_pika.connect(url) as broker:
                channel = await broker.channel()
                await channel.declare_queue(f"{service}.dead", passive=True)
        monitor = (tmp_path / "secrets" / "backoffice" / "comptoir_rabbitmq_management_url").read_text()
        assert {queue["name"] for queue in Management(monitor).get("queues")} >= {"orders.storefront"}
    finally:
        await drop_databases(postgres.admin_url, "")
        management.send("DELETE", f"vhosts/{installation.vhost}")
        for user in (ADMINISTRATOR, MONITOR):
            management.send("DELETE", f"users/{user}")
    written = capsys.readouterr().out
    assert not any(password in written for password in json.loads(file.read_text()).values())
