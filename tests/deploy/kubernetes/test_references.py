"""What a manifest names exists: settings, Secrets and their keys, Services and their ports, probes' paths, versions of
images.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from deploy.auditor.serving import application
from deploy.auditor.watching import Watch
from deploy.kubernetes import secrets
from deploy.kubernetes.__main__ import FOLDER
from deploy.kubernetes.programs import render
from deploy.local.system import AUDITOR
from services.chassis.http.health import PUBLIC_PATHS
from services.chassis.unknown_settings import unknown_settings
from tests.deploy.kubernetes.validating import Manifest, containers_of, manifests_of, rendered, template_of

DEV, PROD = FOLDER / "overlays" / "dev", FOLDER / "overlays" / "prod"
OVERLAYS = pytest.mark.parametrize("overlay", [DEV, PROD], ids=lambda path: path.name)
PODS = ("Deployment", "Job", "CronJob")
VERSIONED = re.compile(r"[\w./-]+(:v?\d[\w.-]*|@sha256:[0-9a-f]{64})")
"""An image by a tag that begins with a version, or by its digest."""
OF_UVICORN = {"FORWARDED_ALLOW_IPS"}


@pytest.fixture
def printed(
    request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> dict[str, dict[str, str]]:
    """The Secrets that the command prints for an overlay: by name, their values by key."""
    tls = ["--tls"] if request.node.callspec.params["overlay"] == PROD else []
    secrets.main(["--passwords", str(tmp_path / "passwords.json"), *tls])
    objects = manifests_of(capsys.readouterr().out)
    return {one["metadata"]["name"]: one["stringData"] for one in objects}


def of_kinds(overlay: Path, *kinds: str) -> list[Manifest]:
    found = [one for one in rendered(overlay) if one["kind"] in kinds]
    assert found, kinds
    return found


def settings_of(overlay: Path) -> dict[str, str]:
    maps = of_kinds(overlay, "ConfigMap")
    return {
        name: value
        for one in maps
        if one["metadata"]["name"].startswith("comptoir-settings")
        for name, value in one["data"].items()
    }


def ports_of(pod: Manifest) -> dict[str, int]:
    return {
        port["name"]: port["containerPort"]
        for container in containers_of(pod)
        for port in container.get("ports", ())
    }


def pods_of(overlay: Path, labels: dict[str, str]) -> list[Manifest]:
    return [
        one
        for one in of_kinds(overlay, *PODS)
        if labels.items() <= template_of(one)["metadata"]["labels"].items()
    ]


def entries(value: Any, key: str) -> Iterator[Any]:
    """Return every value of `key` anywhere inside."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == key:
                yield inner
            yield from entries(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from entries(inner, key)


@OVERLAYS
def test_every_setting_is_one_that_a_program_reads(overlay: Path, printed: dict[str, dict[str, str]]) -> None:
    pods = of_kinds(overlay, *PODS)
    named = {
        entry["name"]
        for pod in pods
        for container in containers_of(pod)
        for entry in container.get("env", ())
    }
    named |= settings_of(overlay).keys()
    files = {key for values in printed.values() for key in values if key.startswith("comptoir_")}
    assert len(named) > 10 < len(files)
    assert unknown_settings(named - OF_UVICORN | files) == {}
    assert unknown_settings(["COMPTOIR_SMTP_HOSTS"]) != {}


@OVERLAYS
def test_every_secret_and_key_that_is_named_is_printed(
    overlay: Path, printed: dict[str, dict[str, str]]
) -> None:
    objects = list(rendered(overlay))
    mounted = [
        source["secret"]
        for sources in entries(objects, "sources")
        for source in sources
        if not source.get("secret", {"optional": True}).get("optional")
    ]
    names = {one["name"] for one in mounted} | set(entries(objects, "secretName"))
    names = {name for name in names if name.startswith("comptoir-")}  # an Ingress's certificates are yours
    names -= {"comptoir-authority", "comptoir-db-ca"}  # made by cert-manager and CloudNativePG
    assert names > {"comptoir-orders", "comptoir-auditor", "comptoir-migrate"}
    assert names - printed.keys() == set()
    keyed = [
        *(one for refs in entries(objects, "secretTargetRef") for one in refs),
        *(one for one in entries(objects, "credentials") if isinstance(one, dict)),
    ]
    for one in keyed:
        assert one["key"] in printed[one["name"]], one
    logins = [*entries(objects, "passwordSecret"), *entries(objects, "importCredentialsSecret")]
    assert len(logins) == 4 + 5
    for one in logins:
        assert printed[one["name"]].keys() == {"username", "password"}, one
    [cluster] = of_kinds(overlay, "Cluster")
    roles = {
        role["name"]: printed[role["passwordSecret"]["name"]]["username"]
        for role in cluster["spec"]["managed"]["roles"]
    }
    assert all(name == login for name, login in roles.items())
    for database in of_kinds(overlay, "Database"):
        assert database["spec"]["owner"] == database["spec"]["name"]
        assert database["spec"]["owner"] in roles
        assert database["spec"]["cluster"]["name"] == cluster["metadata"]["name"]


@OVERLAYS
def test_every_address_is_a_service_with_that_port(overlay: Path, printed: dict[str, dict[str, str]]) -> None:
    [cluster] = of_kinds(overlay, "Cluster")
    [broker] = of_kinds(overlay, "RabbitmqCluster")
    reached = {
        (one["metadata"]["name"], port["port"])
        for one in of_kinds(overlay, "Service")
        for port in one["spec"]["ports"]
    }
    # Services that the operators make.
    reached |= {
        (f"{cluster['metadata']['name']}-rw", 5432),
        *((broker["metadata"]["name"], port) for port in (5672, 15672)),
        *((broker["metadata"]["name"], port) for port in (5671, 15671) if "tls" in broker["spec"]),
    }
    addresses = [
        *settings_of(overlay).values(),
        *(value for values in printed.values() for value in values.values()),
    ]
    urls = [urlsplit(one) for one in addresses if re.match(r"(https?|amqps?|postgresql)://", one)]
    inside = {(url.hostname, url.port) for url in urls if "." not in str(url.hostname)}
    inside -= {("localhost", 8005), ("localhost", 8006)}  # where a browser reaches the laptop's
    assert len(inside) == (9 if overlay == PROD else 8)  # with TLS KEDA reads depths at another port
    assert inside - reached == set()


@OVERLAYS
def test_every_port_that_is_named_is_one_that_a_program_listens_on(overlay: Path) -> None:
    for one in of_kinds(overlay, "Deployment"):
        name, ports = one["metadata"]["name"], ports_of(one)
        [container] = containers_of(one)
        env = {entry["name"]: entry["value"] for entry in container.get("env", ())}
        assert str(ports.get("http")) == env.get("COMPTOIR_HTTP_PORT", "None"), name
        assert str(ports.get("metrics")) == env.get("COMPTOIR_METRICS_PORT", "None"), name
        if name == AUDITOR:
            assert container["args"][-1] == f"0.0.0.0:{ports['http']}"
    for service in of_kinds(overlay, "Service"):
        [pod] = pods_of(overlay, service["spec"]["selector"])
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports_of(pod).keys()


def test_what_is_scraped_let_through_or_reached_from_outside_has_that_port() -> None:
    services = {one["metadata"]["name"]: one for one in of_kinds(PROD, "Service")}
    for backend in entries(of_kinds(PROD, "Ingress"), "service"):
        ports = services[backend["name"]]["spec"]["ports"]
        assert backend["port"]["name"] in {port["name"] for port in ports}, backend
    for monitor in of_kinds(PROD, "PodMonitor"):
        pods = pods_of(PROD, monitor["spec"]["selector"].get("matchLabels", {}))
        for endpoint in monitor["spec"]["podMetricsEndpoints"]:
            for pod in pods:
                is_page = pod["metadata"]["name"] == "page"
                excluded = monitor["metadata"]["name"] == "comptoir" and is_page
                assert excluded or endpoint["port"] in ports_of(pod), monitor["metadata"]["name"]
    for policy in of_kinds(PROD, "NetworkPolicy"):
        pods = pods_of(PROD, policy["spec"]["podSelector"].get("matchLabels", {}))
        for rule in policy["spec"].get("ingress", ()):
            for port in rule["ports"]:
                known = {key for pod in pods for entry in ports_of(pod).items() for key in entry}
                assert not pods or port["port"] in known, policy["metadata"]["name"]
    deployments = {one["metadata"]["name"] for one in of_kinds(PROD, "Deployment")}
    for scaled in of_kinds(PROD, "ScaledObject"):
        assert scaled["spec"]["scaleTargetRef"]["name"] in deployments


@OVERLAYS
def test_every_probe_requests_a_path_that_the_program_serves(overlay: Path) -> None:
    of_auditor = {getattr(route, "path", "") for route in application(Watch(), "token").routes}
    for one in of_kinds(overlay, "Deployment"):
        served = of_auditor if one["metadata"]["name"] == AUDITOR else set(PUBLIC_PATHS)
        for probe in entries(one, "httpGet"):
            assert probe["path"] in served, one["metadata"]["name"]
            assert probe["port"] in ports_of(one)


def test_a_browser_stays_on_one_process_of_the_back_office() -> None:
    """Its event stream would reload the whole page at another one."""
    services = {one["metadata"]["name"]: one["spec"] for one in of_kinds(PROD, "Service")}
    with_affinity = {name for name, spec in services.items() if spec.get("sessionAffinity") == "ClientIP"}
    assert with_affinity == {"backoffice"}
    ingresses = {one["metadata"]["name"]: one["metadata"] for one in of_kinds(PROD, "Ingress")}
    prefix = "nginx.ingress.kubernetes.io/"
    sticky = {
        name.removeprefix(prefix): value for name, value in ingresses["backoffice"]["annotations"].items()
    }
    assert (sticky["affinity"], sticky["session-cookie-secure"], sticky["session-cookie-samesite"]) == (
        "cookie",
        "true",
        "Lax",
    )
    assert all("annotations" not in one for name, one in ingresses.items() if name != "backoffice")


def test_every_program_of_prod_trusts_the_authorities_of_the_broker_and_the_database() -> None:
    certificates = {one["spec"]["secretName"]: one["spec"] for one in of_kinds(PROD, "Certificate")}
    issuers = {one["metadata"]["name"]: one["spec"] for one in of_kinds(PROD, "Issuer")}
    [broker], [cluster] = of_kinds(PROD, "RabbitmqCluster"), of_kinds(PROD, "Cluster")
    [namespace] = of_kinds(PROD, "Namespace")
    served = certificates[broker["spec"]["tls"]["secretName"]]
    name = broker["metadata"]["name"]
    assert {name, f"{name}.{namespace['metadata']['name']}.svc"} <= set(served["dnsNames"])
    issued_by = issuers[served["issuerRef"]["name"]]["ca"]["secretName"]
    assert certificates[issued_by]["isCA"] is True
    assert issuers[certificates[issued_by]["issuerRef"]["name"]] == {"selfSigned": {}}
    for pod in of_kinds(PROD, *PODS):
        [container] = containers_of(pod)
        files = {entry["name"]: entry["value"] for entry in container["env"] if "_CA_FILE" in entry["name"]}
        [volume] = [one for one in template_of(pod)["spec"]["volumes"] if one["name"] == "authorities"]
        [mount] = [one for one in container["volumeMounts"] if one["name"] == "authorities"]
        mounted = {
            f"{mount['mountPath']}/{item['path']}": (source["secret"]["name"], item["key"])
            for source in volume["projected"]["sources"]
            for item in source["secret"]["items"]
        }
        assert {name: mounted[file] for name, file in files.items()} == {
            "COMPTOIR_DATABASE_CA_FILE": (f"{cluster['metadata']['name']}-ca", "ca.crt"),
            "COMPTOIR_AMQP_CA_FILE": (broker["spec"]["tls"]["secretName"], "ca.crt"),
        }, pod["metadata"]["name"]


def images_of(objects: tuple[Manifest, ...]) -> set[str]:
    return {one for one in entries(list(objects), "image") if isinstance(one, str)}


def test_every_image_has_a_version_and_prod_can_name_them_by_digest(tmp_path: Path) -> None:
    assert [name for name in images_of(rendered(PROD)) if not VERSIONED.fullmatch(name)] == []
    assert images_of(rendered(DEV)) == {"comptoir:local", "rabbitmq:4.2-management"}
    for overlay in (DEV, PROD):
        [cluster] = of_kinds(overlay, "Cluster")
        assert cluster["spec"]["imageCatalogRef"]["major"] == 18
    for wrong in ("rabbitmq", "rabbitmq:latest", "images.example.org/comptoir:latest"):
        assert not VERSIONED.fullmatch(wrong)
    shutil.copytree(FOLDER, tmp_path / "kubernetes")
    kustomization = tmp_path / "kubernetes" / "overlays" / "prod" / "kustomization.yaml"
    text, digest = kustomization.read_text(), f"sha256:{'0' * 64}"
    kustomization.write_text(re.sub(r"newTag: [\w.-]+", f'digest: "{digest}"', text))
    by_digest = tuple(manifests_of(render(kustomization.parent)))
    assert images_of(by_digest) == {
        *(f"images.example.org/{name}@{digest}" for name in ("comptoir", "comptoir-operator")),
        f"rabbitmq@{digest}",
    }
