"""The AsyncAPI document: sound in itself, and saying the same as the catalogue."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from contracts.catalogue import CATALOGUE, PUBLIC, SERVICES, STOREFRONT, queues_of
from contracts.derived.asyncapi import ENVELOPE_ATTRIBUTES, REQUIRED_ATTRIBUTES, asyncapi
from contracts.envelope import PREFIX, Envelope, uuid7, uuid7_time
from contracts.generate import FOLDER
from tests.contracts.test_samples import SAMPLES, type_of

DOCUMENT: dict[str, Any] = json.loads((FOLDER / "asyncapi.json").read_bytes())
OPERATIONS: dict[str, dict[str, Any]] = DOCUMENT["operations"]
COMPONENT_NAME = re.compile(r"[A-Za-z0-9._-]+")


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for inner in node:
            yield from references(inner)


def target(reference: str) -> Any:
    node = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        node = node[step]
    return node


def type_of_message(operation: dict[str, Any]) -> str:
    """The type of an operation's one message."""
    (reference,) = operation["messages"]
    message = target(target(reference["$ref"])["$ref"])
    return str(message["name"])


def test_it_is_asyncapi_3_with_only_the_fields_of_its_specification() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    known = {"asyncapi", "info", "defaultContentType", "servers", "channels", "operations", "components"}
    assert set(DOCUMENT) == known
    assert {"title", "version"} <= set(DOCUMENT["info"])
    for operation in OPERATIONS.values():
        assert operation["action"] in ("send", "receive")
        allowed = {"action", "title", "description", "channel", "messages", "tags", "bindings", "x-queue"}
        assert set(operation) <= allowed
    for kind in ("messages", "schemas", "securitySchemes"):
        assert all(COMPONENT_NAME.fullmatch(name) for name in DOCUMENT["components"][kind])


def test_every_reference_resolves_inside_the_document() -> None:
    found = list(references(DOCUMENT))
    assert found
    assert all(reference.startswith("#/") and target(reference) for reference in found)


def test_an_operation_states_messages_of_its_own_channel() -> None:
    for operation in OPERATIONS.values():
        channel = operation["channel"]["$ref"]
        assert all(message["$ref"].startswith(f"{channel}/messages/") for message in operation["messages"])


def test_every_message_of_the_catalogue_is_there_once_under_a_name_of_its_own() -> None:
    messages = DOCUMENT["components"]["messages"]
    assert set(messages) == set(CATALOGUE)
    assert [message["name"] for message in messages.values()] == list(messages)
    for kind, entry in CATALOGUE.items():
        assert messages[kind]["payload"]["$ref"] == f"#/components/schemas/{entry.message.__name__}"
        assert messages[kind].get("x-outcomes", []) == list(entry.outcomes)


def test_senders_send_and_listeners_receive_what_the_catalogue_lists() -> None:
    sent = {(operation["tags"][0]["name"], type_of_message(operation)) for operation in actions("send")}
    received = {
        (operation["tags"][0]["name"], type_of_message(operation)) for operation in actions("receive")
    }
    entries = CATALOGUE.values()
    assert sent == {(entry.sender, entry.type) for entry in entries}
    consumed = {(listener, entry.type) for entry in entries for listener in entry.listeners}
    assert received == consumed | {(STOREFRONT, entry.type) for entry in entries if entry.public}


def actions(action: str) -> list[dict[str, Any]]:
    return [operation for operation in OPERATIONS.values() if operation["action"] == action]


def test_channels_are_the_exchanges_and_routing_keys_of_the_catalogue() -> None:
    for kind, entry in CATALOGUE.items():
        channel = DOCUMENT["channels"][kind]
        assert channel["bindings"]["amqp"]["exchange"]["name"] == entry.exchange
        assert channel["address"] == (f"{{shop}}.{{module}}.{kind}" if entry.public else kind)
        assert set(re.findall(r"{(\w+)}", channel["address"])) == set(channel.get("parameters", {}))
    assert {CATALOGUE[kind].exchange for kind in CATALOGUE} == {STOREFRONT, PUBLIC, *SERVICES}


def test_queues_are_those_of_the_topology() -> None:
    for service in SERVICES:
        mine = [operation for operation in actions("receive") if operation["tags"][0]["name"] == service]
        assert {operation["x-queue"] for operation in mine} == set(queues_of(service))


def test_only_messages_with_a_listener_must_reach_a_queue() -> None:
    for operation in actions("send"):
        assert operation["bindings"]["amqp"]["mandatory"] is bool(
            CATALOGUE[type_of_message(operation)].listeners
        )
        assert operation["bindings"]["amqp"]["deliveryMode"] == 2


def test_a_storefront_reads_that_user_id_is_its_own_login() -> None:
    login = "storefront.{shop}.{module}"
    assert {
        type_of_message(operation)
        for operation in actions("send")
        if operation["tags"][0]["name"] == STOREFRONT
    }
    for operation in actions("send"):
        is_storefronts = operation["tags"][0]["name"] == STOREFRONT
        assert operation["bindings"]["amqp"].get("userId") == (login if is_storefronts else None)
        message = DOCUMENT["components"]["messages"][type_of_message(operation)]
        for described in (operation, message):
            assert ("`user_id`" in described.get("description", "")) is is_storefronts
            assert (login in described.get("description", "")) is is_storefronts
    assert login in DOCUMENT["components"]["securitySchemes"]["user"]["description"]


def test_no_server_is_named() -> None:
    (server,) = DOCUMENT["servers"].values()
    assert server["host"] == "{host}:{port}"
    assert "default" not in server["variables"]["host"]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: str(path.stem))
def test_samples_fit_the_documents_payloads(sample: Any) -> None:
    name = CATALOGUE[type_of(sample)].message.__name__
    rooted = {**DOCUMENT, "$ref": f"#/components/schemas/{name}"}
    Draft202012Validator(rooted).validate(json.loads(sample.read_bytes()))


@pytest.mark.parametrize("kind", CATALOGUE)
def test_an_envelopes_headers_fit_the_documents_headers(kind: str) -> None:
    identifier = uuid7()
    timestamp = uuid7_time(identifier)
    rooted = {**DOCUMENT, **DOCUMENT["components"]["messages"][kind]["headers"]}
    full = Envelope(
        identifier, "/orders", kind, timestamp, "s", "o", 1, "c", identifier, "00-1-2-01"
    ).headers()
    least = Envelope(identifier, "/orders", kind, timestamp).headers()
    validator = Draft202012Validator(rooted)
    validator.validate(full)
    validator.validate(least)
    assert set(full) == {PREFIX + name for name in ENVELOPE_ATTRIBUTES}
    assert set(least) == {PREFIX + name for name in REQUIRED_ATTRIBUTES}
    assert not validator.is_valid({**least, f"{PREFIX}type": "another.thing.said.v1"})


@pytest.mark.parametrize("service", SERVICES)
def test_the_document_of_a_service_is_its_part_of_the_whole(service: str) -> None:
    whole, part = DOCUMENT, json.loads(json.dumps(asyncapi(service)))
    own = {name: one for name, one in whole["operations"].items() if name.startswith(f"{service}.")}
    assert part["operations"] == own
    types = {one["channel"]["$ref"].removeprefix("#/channels/") for one in own.values()}
    assert part["channels"] == {name: whole["channels"][name] for name in whole["channels"] if name in types}
    assert set(part["components"]["messages"]) == types
    schemas = part["components"]["schemas"]
    assert schemas == {name: whole["components"]["schemas"][name] for name in schemas}
    named = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(part)))
    assert named <= schemas.keys()
