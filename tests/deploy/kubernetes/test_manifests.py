"""deploy/kubernetes: every overlay and component renders, every object is valid by its schema and keeps the rules."""

import json
import re
import shutil
import subprocess
from itertools import chain
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from ruamel.yaml import YAML

from contracts.catalogue import SERVICES
from deploy.credentials import OWNER
from deploy.kubernetes.__main__ import FOLDER, files
from deploy.kubernetes.programs import UNPACKED, find_kubectl, render
from deploy.kubernetes.scaling import age_query
from deploy.local.prometheus.programs import find_prometheus
from deploy.local.system import AUDITOR, module_of
from services.chassis.messaging.topology import listened_queues
from tests.deploy.installing.test_compose import AUTOVACUUM
from tests.deploy.kubernetes.validating import (
    Manifest,
    containers_of,
    faults,
    manifests_of,
    rendered,
    template_of,
)

DEV, PROD = FOLDER / "overlays" / "dev", FOLDER / "overlays" / "prod"
OVERLAYS = (DEV, PROD)
COMPONENTS = sorted(path.parent for path in (FOLDER / "components").glob("*/kustomization.yaml"))
PROGRAMS = {*OWNER, AUDITOR}
POD = {
    "runAsNonRoot": True,
    "runAsUser": 10001,
    "runAsGroup": 10001,
    "fsGroup": 10001,
    "seccompProfile": {"type": "RuntimeDefault"},
}
CONTAINER = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
TRIGGER_KEYS = {
    "rabbitmq": {"protocol", "vhostName", "queueName", "mode", "value", "excludeUnacknowledged"},
    "prometheus": {"serverAddress", "query", "threshold", "ignoreNullValues"},
}
"""Keys of KEDA's triggers that are used here; its schema allows any."""


def of_kind(objects: tuple[Manifest, ...], kind: str) -> dict[str, Manifest]:
    return {one["metadata"]["name"]: one for one in objects if one["kind"] == kind}


def test_its_own_postgres_is_vacuumed_as_the_private_one() -> None:
    text = (FOLDER / "components" / "cloudnative-pg" / "cluster.yaml").read_text(encoding="utf-8")
    given = YAML(typ="safe", pure=True).load(text)["spec"]["postgresql"]["parameters"]
    assert {f"{name}={value}" for name, value in given.items() if name.startswith("autovacuum")} == AUTOVACUUM


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
def test_an_overlay_renders_and_every_object_is_valid(overlay: Path) -> None:
    objects = rendered(overlay)
    assert len(objects) > 200
    assert list(chain.from_iterable(map(faults, objects))) == []
    named = [(one["kind"], one["metadata"]["name"]) for one in objects]
    assert len(named) == len(set(named))
    [namespace] = of_kind(objects, "Namespace")
    assert {one["metadata"].get("namespace") for one in objects if one["kind"] != "Namespace"} == {namespace}


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda path: path.name)
def test_a_component_renders_on_the_base_alone(component: Path, tmp_path: Path) -> None:
    shutil.copytree(FOLDER / "base", tmp_path / "base")
    shutil.copytree(component, tmp_path / "component")
    (tmp_path / "kustomization.yaml").write_text("resources: [base]\ncomponents: [component]\n")
    objects = manifests_of(render(tmp_path))
    assert list(chain.from_iterable(map(faults, objects))) == []
    assert len(objects) > len(rendered(FOLDER / "base"))


def test_a_misspelt_field_of_any_origin_is_refused() -> None:
    for kind, right, wrong in (
        ("Deployment", '"readinessProbe"', '"readynessProbe"'),
        ("NetworkPolicy", '"podSelector"', '"podSelectors"'),
        ("ScaledObject", '"triggers"', '"trigers"'),
        ("Queue", '"deletionPolicy"', '"deletionPolice"'),
        ("RabbitmqCluster", '"persistence"', '"persistance"'),
        ("Cluster", '"pg_hba"', '"pg-hba"'),
        ("PodMonitor", '"podMetricsEndpoints"', '"endpoints"'),
        ("PrometheusRule", '"expr"', '"expression"'),
    ):
        whole = next(iter(of_kind(rendered(PROD), kind).values()))
        text = json.dumps(whole)
        assert right in text, kind
        assert faults(json.loads(text.replace(right, wrong))) != [], kind


def test_the_committed_files_are_what_the_catalogue_and_the_rules_give() -> None:
    for path, text in files().items():
        assert path.read_text(encoding="utf-8") == text, f"run python -m deploy.kubernetes: {path.name}"


def test_manifests_render_alike_by_the_fetched_kubectl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPTOIR_KUBECTL", "fetched")
    assert find_kubectl() == UNPACKED / "kubectl"
    assert tuple(manifests_of(render(DEV))) == rendered(DEV)


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
def test_every_program_runs_without_rights_and_with_probes(overlay: Path) -> None:
    deployments = of_kind(rendered(overlay), "Deployment")
    assert deployments.keys() - {"mail"} == PROGRAMS
    for name in PROGRAMS:
        pod = deployments[name]["spec"]["template"]["spec"]
        assert pod["securityContext"] == POD, name
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["terminationGracePeriodSeconds"] == 45, name
        assert {one["topologyKey"] for one in pod["topologySpreadConstraints"]} == {
            "topology.kubernetes.io/zone",
            "kubernetes.io/hostname",
        }
        [container] = containers_of(deployments[name])
        assert container["args"][0] == ("deploy.auditor" if name == AUDITOR else module_of(name))
        assert container["securityContext"] == CONTAINER, name
        assert container["startupProbe"]["httpGet"] == {"path": "/livez", "port": "http"}, name
        assert container["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "http"}, name
        ready = {"payments": "/readyz/intake", AUDITOR: "/livez"}.get(name, "/readyz")
        assert container["readinessProbe"]["httpGet"] == {"path": ready, "port": "http"}, name
        assert container["resources"]["limits"]["memory"], name
        assert container["resources"]["requests"]["cpu"], name
        assert deployments[name]["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    for name in SERVICES:
        assert "replicas" not in deployments[name]["spec"], f"{name} is scaled by KEDA"


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
def test_migrations_are_a_job_with_the_rights_of_a_program_and_only_databases(overlay: Path) -> None:
    job = of_kind(rendered(overlay), "Job")["migrate"]
    [container] = containers_of(job)
    assert container["args"] == ["deploy.cli", "migrate"]
    assert container["securityContext"] == CONTAINER
    assert job["spec"]["template"]["spec"]["securityContext"] == POD
    volumes = {one["name"]: one for one in job["spec"]["template"]["spec"]["volumes"]}
    assert volumes["secrets"]["secret"]["secretName"] == "comptoir-migrate"


def test_backups_are_made_every_night_and_nothing_else_writes_to_their_volume() -> None:
    objects = rendered(PROD)
    job, claims = of_kind(objects, "CronJob")["comptoir-backup"], of_kind(objects, "PersistentVolumeClaim")
    [container] = containers_of(job)
    assert container["args"] == ["deploy.cli", "backup", "/backups", "--keep", "14"]
    assert container["securityContext"] == CONTAINER
    pod = template_of(job)["spec"]
    assert pod["securityContext"] == POD
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    assert pod["restartPolicy"] == "Never"
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert mounts.keys() == volumes.keys()
    assert mounts["backups"] == "/backups"
    assert {volumes["backups"]["persistentVolumeClaim"]["claimName"]} == claims.keys()
    assert f'{{cronjob="{job["metadata"]["name"]}"}}' in json.dumps(
        of_kind(objects, "PrometheusRule")
    ).replace("\\", "")
    [policy] = [one for name, one in of_kind(objects, "NetworkPolicy").items() if name == "databases-only"]
    [chosen] = policy["spec"]["podSelector"]["matchExpressions"]
    for kind in ("Job", "CronJob"):
        for one in of_kind(objects, kind).values():
            assert template_of(one)["metadata"]["labels"][chosen["key"]] in chosen["values"]


def test_images_are_named_once_and_never_by_latest() -> None:
    for overlay in OVERLAYS:
        makers = [one for one in rendered(overlay) if one["kind"] in ("Deployment", "Job")]
        images = {container["image"] for one in makers for container in containers_of(one)}
        assert len(images) == 1
        assert not images.pop().endswith(":latest")


def test_no_object_holds_a_secret() -> None:
    for overlay in OVERLAYS:
        assert of_kind(rendered(overlay), "Secret") == {}
        [settings] = (
            one["data"] for name, one in of_kind(rendered(overlay), "ConfigMap").items() if "settings" in name
        )
        assert not [
            name for name in settings if re.search("PASSWORD|TOKEN|SECRET|_KEY|DATABASE_URL|AMQP", name)
        ]


def test_every_queue_and_the_virtual_host_outlive_their_objects() -> None:
    queues = of_kind(rendered(PROD), "Queue")
    assert {one["spec"]["name"] for one in queues.values()} >= set(chain(*map(listened_queues, SERVICES)))
    for one in (*queues.values(), *of_kind(rendered(PROD), "Vhost").values()):
        assert one["spec"]["deletionPolicy"] == "retain", one["metadata"]["name"]
    for database in of_kind(rendered(PROD), "Database").values():
        assert database["spec"]["databaseReclaimPolicy"] == "retain"


def test_every_service_is_scaled_by_each_of_its_queues_and_by_the_age_of_its_events() -> None:
    scaled = of_kind(rendered(PROD), "ScaledObject")
    assert scaled.keys() == set(SERVICES)
    for service, one in scaled.items():
        triggers: list[dict[str, Any]] = one["spec"]["triggers"]
        for trigger in triggers:
            assert trigger["metadata"].keys() == TRIGGER_KEYS[trigger["type"]]
        lengths = [trigger["metadata"] for trigger in triggers if trigger["type"] == "rabbitmq"]
        assert [found["queueName"] for found in lengths] == listened_queues(service)
        assert {found["excludeUnacknowledged"] for found in lengths} == {"false"}
        [age] = [trigger["metadata"] for trigger in triggers if trigger["type"] == "prometheus"]
        assert age["ignoreNullValues"] == "false"
        promql_parser.parse(age["query"])
        assert age["query"] == age_query(service)
        assert one["spec"]["minReplicaCount"] >= 1


def test_budgets_and_policies_select_pods_that_exist() -> None:
    objects = rendered(PROD)
    labels = [
        one["spec"]["template"]["metadata"]["labels"] for one in of_kind(objects, "Deployment").values()
    ]
    for kind in ("Job", "CronJob"):
        labels += [template_of(one)["metadata"]["labels"] for one in of_kind(objects, kind).values()]
    labels.append({"app.kubernetes.io/name": "rabbitmq", "app.kubernetes.io/component": "rabbitmq"})
    labels.append({"cnpg.io/cluster": "comptoir-db", "cnpg.io/podRole": "instance"})
    selectors = [
        one["spec"]["selector"]
        for kind in ("PodDisruptionBudget", "PodMonitor")
        for one in of_kind(objects, kind).values()
    ]
    policies = of_kind(objects, "NetworkPolicy")
    assert policies["deny-all"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    selectors += [one["spec"]["podSelector"] for one in policies.values()]
    for service in of_kind(objects, "Service").values():
        selectors.append({"matchLabels": service["spec"]["selector"]})
    for selector in selectors:
        wanted = selector.get("matchLabels", {}).items()
        assert any(wanted <= one.items() for one in labels), selector


def test_quiet_is_no_age_and_a_lost_process_is_no_answer(tmp_path: Path) -> None:
    """Events of 30 s on average, then none, then no process that Prometheus reaches: late, 0, nothing."""
    (tmp_path / "rules.yml").write_text(
        json.dumps({"groups": [{"name": "age", "rules": [{"record": "age", "expr": age_query("orders")}]}]})
    )
    bucket = 'comptoir_event_age_seconds_bucket{service="orders", queue="orders.storefront", le="%s"}'
    series = {
        bucket % "10": "0x60",
        bucket % "60": "0+60x20 1200x39",
        bucket % "+Inf": "0+60x20 1200x39",
        'up{job="comptoir", program="orders"}': "1x40 0x19",
    }
    expected = {"10m": [57.5], "35m": [0.0], "55m": []}
    requested = [
        {
            "expr": "age",
            "eval_time": timestamp,
            "exp_samples": [{"labels": "age", "value": value} for value in values],
        }
        for timestamp, values in expected.items()
    ]
    (tmp_path / "test.yml").write_text(
        json.dumps(
            {
                "rule_files": ["rules.yml"],
                "evaluation_interval": "1m",
                "tests": [
                    {
                        "interval": "1m",
                        "input_series": [
                            {"series": name, "values": values} for name, values in series.items()
                        ],
                        "promql_expr_test": requested,
                    }
                ],
            }
        )
    )
    argv: list[str | Path] = [find_prometheus().promtool, "test", "rules", tmp_path / "test.yml"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
