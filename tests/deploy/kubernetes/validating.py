"""Validation of manifests offline: Kubernetes' own objects with its schemas, operators' objects with those of their
custom resource definitions. Fields that no schema knows are refused: they are misspelt.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from ruamel.yaml import YAML

from deploy.kubernetes.programs import render, schemas

OPERATORS = Path(__file__).parent / "schemas"
OWN_GROUPS = {"v1", "apps/v1", "batch/v1", "policy/v1", "networking.k8s.io/v1"}
Manifest = dict[str, Any]


def manifests_of(text: str) -> list[Manifest]:
    """Return the objects of a text with YAML documents."""
    return [one for one in YAML(typ="safe").load_all(text) if one]


@cache
def rendered(folder: Path) -> tuple[Manifest, ...]:
    """Return the objects of a kustomization."""
    return tuple(manifests_of(render(folder)))


def faults(manifest: Manifest) -> list[str]:
    """Return what the schema of an object's kind has against it."""
    name = f"{manifest['kind']} {manifest['metadata']['name']}"
    found = _faults(manifest["apiVersion"], manifest["kind"], json.dumps(manifest))
    return [f"{name}: {fault}" for fault in found]


@cache
def _faults(api: str, kind: str, text: str) -> list[str]:
    """Return what the schema has against an object: most objects of the base are in every rendering of it."""
    errors = validator(api, kind).iter_errors(json.loads(text))
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message[:300]}" for error in errors]


@cache
def validator(api: str, kind: str) -> jsonschema.Draft202012Validator:
    """Return the validator of a kind of objects. Raises FileNotFoundError for a kind without a schema."""
    group, _, version = api.rpartition("/")
    if api in OWN_GROUPS:
        part = group.partition(".")[0]
        name = "-".join(filter(None, (kind.lower(), part, version)))
        return _make_validator(name, _read(schemas() / f"{name}.json"))
    crd = _read(OPERATORS / f"{kind.lower()}_{version}.json")
    crd["properties"]["metadata"] = {
        "$ref": f"{DEFINITIONS}#/$defs/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
    }
    return _make_validator(f"{kind.lower()}_{version}", _strict(crd))


def _make_validator(name: str, schema: Any) -> jsonschema.Draft202012Validator:
    """Return a validator whose registry is crawled already: otherwise each reference crawls it again."""
    resource = Resource.from_contents(schema, DRAFT202012)
    registry = _registry().with_resource(f"/api/{name}.json", resource).crawl()
    return jsonschema.Draft202012Validator({"$ref": f"/api/{name}.json"}, registry=registry)


DEFINITIONS = "/api/_definitions.json"


@cache
def _registry() -> Registry[Any]:
    definitions = Resource.from_contents(_read(schemas() / "_definitions.json"), DRAFT202012)
    return Registry().with_resource(DEFINITIONS, definitions).crawl()


def _read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def _strict(schema: Any) -> Any:
    """Return the schema with no other than its properties allowed, as an API server prunes them."""
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _strict(value) for key, value in schema.items()}
    is_open = found.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in found
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object" and not is_open:
        found["additionalProperties"] = False
    return found


def containers_of(manifest: Manifest) -> Iterator[Manifest]:
    """Return the containers of an object that makes pods."""
    pod = template_of(manifest)["spec"]
    yield from (*pod.get("initContainers", ()), *pod["containers"])


def template_of(manifest: Manifest) -> Manifest:
    """Return the template of an object's pods."""
    spec = manifest["spec"]["jobTemplate"]["spec"] if manifest["kind"] == "CronJob" else manifest["spec"]
    template: Manifest = spec["template"]
    return template
