"""Generated objects mean what the broker's definitions mean, and printed Secrets fit what uses them."""

import importlib
import json
import os
import re
from pathlib import Path

import pytest

from deploy.compose.__main__ import main as write_compose
from deploy.credentials import OWNER
from deploy.demo.standins.paypal.certificates import Authority
from deploy.kubernetes import secrets
from deploy.kubernetes.__main__ import FOLDER, main
from deploy.kubernetes.manifests import text_of
from deploy.kubernetes.topology import VHOST, storefront_objects, topology
from deploy.local.system import module_of
from services.chassis.messaging.topology import Storefront, definitions, permissions
from services.chassis.setting_files import PREFIX
from tests.deploy.kubernetes.validating import containers_of, faults, manifests_of, rendered

STOREFRONTS = [Storefront("maison", "price_table")]


def test_the_objects_are_the_brokers_definitions() -> None:
    meant = definitions(VHOST, dict.fromkeys(permissions(STOREFRONTS), "x"), STOREFRONTS)
    objects = manifests_of(text_of(topology(STOREFRONTS)))
    specs = {
        kind: [one["spec"] for one in objects if one["kind"] == kind]
        for kind in {one["kind"] for one in objects}
    }
    assert {(row["name"], row["type"]) for row in specs["Exchange"]} == {
        (row["name"], row["type"]) for row in meant["exchanges"]
    }
    assert {(row["name"], row["type"]) for row in specs["Queue"]} == {
        (row["name"], "quorum") for row in meant["queues"]
    }
    assert sorted(
        (row["source"], row["destination"], row["routingKey"]) for row in specs["Binding"]
    ) == sorted((row["source"], row["destination"], row["routing_key"]) for row in meant["bindings"])
    assert {
        row["name"]: (row["pattern"], row["applyTo"], row["priority"], row["definition"])
        for row in specs["Policy"]
    } == {
        row["name"]: (row["pattern"], row["apply-to"], row["priority"], row["definition"])
        for row in meant["policies"]
    }
    rights = {row["userReference"]["name"]: row["permissions"] for row in specs["Permission"]}
    assert rights == {
        **{user.replace("_", "-"): right for user, right in permissions(STOREFRONTS).items()},
        "monitor": dict.fromkeys(("configure", "write", "read"), "^$"),
    }
    assert all(row["vhost"] == VHOST for kind in specs.keys() - {"User", "Vhost"} for row in specs[kind])


def test_a_storefront_gets_a_login_a_queue_and_a_binding(capsys: pytest.CaptureFixture[str]) -> None:
    main(["storefront", "maison.price_table"])
    objects = manifests_of(capsys.readouterr().out)
    assert sorted(one["kind"] for one in objects) == ["Binding", "Permission", "Queue", "User"]
    assert [fault for one in objects for fault in faults(one)] == []
    assert objects == storefront_objects(STOREFRONTS)
    with pytest.raises(SystemExit, match="no-dot"):
        main(["storefront", "no-dot"])
    with pytest.raises(SystemExit, match="a storefront is empty"):
        main(["storefront", ""])


def test_names_are_such_as_kubernetes_accepts() -> None:
    for one in topology(STOREFRONTS):
        assert re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", one["metadata"]["name"]), one


def test_printed_secrets_are_valid_kept_and_all_that_is_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--passwords", str(tmp_path / "passwords.json"), "--storefront", "maison.price_table"]
    secrets.main(arguments)
    printed = capsys.readouterr().out
    secrets.main(arguments)
    assert capsys.readouterr().out == printed
    objects = manifests_of(printed)
    assert [fault for one in objects for fault in faults(one)] == []
    names = {one["metadata"]["name"] for one in objects}
    text = json.dumps(rendered(FOLDER / "overlays" / "prod"))
    used = set(re.findall(r'"(comptoir-(?:broker|database)-[\w-]+|comptoir-(?:keda|metrics|migrate))"', text))
    used |= {
        f"comptoir-{name}"
        for name in ("orders", "payments", "fulfillment", "notifier", "backoffice", "page", "auditor")
    }
    assert used - names == set()
    assert names - used == {"comptoir-broker-storefront.maison.price-table"}


def test_a_program_has_the_same_settings_in_compose_and_in_kubernetes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_compose(["--demo", "--folder", str(tmp_path / "compose")])
    secrets_before = capsys.readouterr()
    assert "secrets written" in secrets_before.out
    secrets.main(["--passwords", str(tmp_path / "passwords.json")])
    for one in manifests_of(capsys.readouterr().out):
        folder = tmp_path / "compose" / one["metadata"]["name"].removeprefix("comptoir-")
        if folder.is_dir():
            extra = {
                "comptoir_shops",
                "comptoir_api_tokens",
                "comptoir_stripe_endpoints",
                "comptoir_paypal_endpoints",
            }
            assert {path.name for path in folder.iterdir()} - extra == one["stringData"].keys()


@pytest.mark.parametrize("program", sorted(OWNER))
@pytest.mark.parametrize("overlay", ["dev", "prod"])
def test_every_program_accepts_its_settings(
    overlay: str,
    program: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    authority: Authority,
) -> None:
    objects = rendered(FOLDER / "overlays" / overlay)
    [settings] = (one["data"] for one in objects if one["metadata"]["name"].startswith("comptoir-settings"))
    [deployment] = (
        one for one in objects if (one["kind"], one["metadata"]["name"]) == ("Deployment", program)
    )
    [container] = containers_of(deployment)
    (tmp_path / "passwords").mkdir()
    tls = ["--tls"] if overlay == "prod" else []
    secrets.main(["--passwords", str(tmp_path / "passwords" / "passwords.json"), *tls])
    printed = manifests_of(capsys.readouterr().out)
    [secret] = (one["stringData"] for one in printed if one["metadata"]["name"] == f"comptoir-{program}")
    for name, value in secret.items():
        (tmp_path / name).write_text(value)
    for variable in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(variable)
    own = {entry["name"]: entry["value"] for entry in container["env"]}
    root = tmp_path / "passwords" / "root.pem"
    root.write_bytes(authority.root_pem)
    own |= {name: str(root) for name in own if name.endswith("_CA_FILE")}
    for variable, value in {**settings, **own, "COMPTOIR_SECRETS_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(variable, value)
    loaded = importlib.import_module(f"{module_of(program)}.app").SERVICE.settings()
    assert (loaded.http_host, loaded.http_port) == ("0.0.0.0", 8000)
    assert str(loaded.amqp_url.get_secret_value()).partition(":")[0] == ("amqps" if tls else "amqp")
