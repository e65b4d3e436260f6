"""The AsyncAPI 3.0 description of the broker's interface, derived from the catalogue.

One channel per message type (its address is the routing key), one operation per sender and per listener. All
messages are in `components`, once per type, since several services send a `CommandRejected` of their own; the
payloads' schemas are there once per class and equal those in `schemas/`.
"""

from collections.abc import Iterable
from typing import Any

from pydantic.json_schema import models_json_schema

from contracts.catalogue import CATALOGUE, PUBLIC, SERVICES, STOREFRONT, Entry, queue_of
from contracts.derived.schema import PlainTitles, summary_of
from contracts.envelope import CONTENT_TYPE, PREFIX

Json = dict[str, Any]

VERSION = "0.1.0"
"""Of the whole contract; equals the version in this folder's pyproject.toml."""

_BINDING = {"bindingVersion": "0.3.0"}
_LOGIN = f"{STOREFRONT}.{{shop}}.{{module}}"
"""A storefront's broker user, and the name of its queue."""
_BY_LOGIN = (
    f"Set the AMQP property `user_id` to the broker user you are connected as, `{_LOGIN}`: the broker refuses any "
    "other, and a message without it is parked unread and never answered."
)
_EXCHANGES = {
    STOREFRONT: "Messages that storefront modules publish.",
    PUBLIC: "Messages that storefronts receive; each is bound to its own answers only.",
    **{service: f"Messages that {service} publishes." for service in SERVICES},
}


def asyncapi(service: str | None = None) -> Json:
    """Return the whole document, or only what one service sends and receives."""
    entries = [entry for entry in CATALOGUE.values() if service in (None, entry.sender, *entry.listeners)]
    operations = [
        (name, operation)
        for entry in entries
        for name, operation in _operations(entry)
        if service is None or name.startswith(f"{service}.")
    ]
    return {
        "asyncapi": "3.0.0",
        "info": _info(),
        "defaultContentType": CONTENT_TYPE,
        "servers": {"broker": _server()},
        "channels": {entry.type: _channel(entry) for entry in entries},
        "operations": dict(operations),
        "components": {
            "messages": {entry.type: _message(entry) for entry in entries},
            "schemas": {"Envelope": _envelope(), **_payloads(entries)},
            "securitySchemes": {"user": {"type": "userPassword", "description": _user()}},
        },
    }


def _info() -> Json:
    return {
        "title": "Comptoir",
        "version": VERSION,
        "description": (
            "Orders from placed to delivered: what storefront modules and the services orders, payments, "
            "fulfillment and notifier say to each other. CloudEvents 1.0 in binary mode over AMQP 0-9-1."
        ),
        "tags": [{"name": name, "description": text} for name, text in sorted(_EXCHANGES.items())],
    }


def _server() -> Json:
    return {
        "host": "{host}:{port}",
        "pathname": "/{vhost}",
        "protocol": "amqp",
        "protocolVersion": "0-9-1",
        "description": "RabbitMQ. Each service and storefront has a user with only the rights it needs.",
        "variables": {
            "host": {
                "description": "Where the merchant's broker runs.",
                "examples": ["rabbitmq.example.org"],
            },
            "port": {"default": "5672", "description": "5671 with TLS (protocol amqps)."},
            "vhost": {"default": "comptoir", "description": "The broker's virtual host."},
        },
        "security": [{"$ref": "#/components/securitySchemes/user"}],
    }


def _user() -> str:
    return f"A broker user of its own; a storefront's is named `{_LOGIN}` and sets `user_id` to it in every message."


def _channel(entry: Entry) -> Json:
    channel: Json = {
        "address": entry.type,
        "title": entry.message.__name__,
        "description": summary_of(entry.message),
        "servers": [{"$ref": "#/servers/broker"}],
        "messages": {entry.type: {"$ref": f"#/components/messages/{entry.type}"}},
        "tags": [{"name": entry.exchange}],
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {"name": entry.exchange, "type": "topic", "durable": True, "autoDelete": False},
                **_BINDING,
            }
        },
    }
    if entry.public:
        channel["address"] = f"{{shop}}.{{module}}.{entry.type}"
        channel["parameters"] = {
            "shop": {"description": "The merchant's shop."},
            "module": {"description": "The storefront module, as in OrderSubmitted."},
        }
    return channel


def _message(entry: Entry) -> Json:
    message: Json = {
        "name": entry.type,
        "title": entry.message.__name__,
        "summary": summary_of(entry.message),
        "contentType": CONTENT_TYPE,
        "headers": {
            "allOf": [
                {"$ref": "#/components/schemas/Envelope"},
                {"type": "object", "properties": {f"{PREFIX}type": {"const": entry.type}}},
            ]
        },
        "payload": {"$ref": f"#/components/schemas/{entry.message.__name__}"},
        "tags": [{"name": entry.sender}],
    }
    if entry.sender == STOREFRONT:
        message["description"] = _BY_LOGIN
    if entry.outcomes:
        message["x-outcomes"] = list(entry.outcomes)
    return message


def _operations(entry: Entry) -> list[tuple[str, Json]]:
    listeners = (STOREFRONT,) if entry.public else entry.listeners
    received = [(f"{listener}.receive.{entry.type}", _receive(entry, listener)) for listener in listeners]
    return [(f"{entry.sender}.send.{entry.type}", _send(entry)), *received]


def _send(entry: Entry) -> Json:
    binding: Json = {"deliveryMode": 2, "mandatory": bool(entry.listeners), **_BINDING}
    operation = _operation(entry, "send", entry.sender)
    if entry.sender == STOREFRONT:
        operation["description"] = _BY_LOGIN
        binding["userId"] = _LOGIN
    return {**operation, "bindings": {"amqp": binding}}


def _receive(entry: Entry, listener: str) -> Json:
    queue = _LOGIN if entry.public else queue_of(listener, entry.sender)
    return {
        **_operation(entry, "receive", listener),
        "bindings": {"amqp": {"ack": True, **_BINDING}},
        "x-queue": queue,
    }


def _operation(entry: Entry, action: str, who: str) -> Json:
    return {
        "action": action,
        "title": f"{who} {action}s {entry.message.__name__}",
        "channel": {"$ref": f"#/channels/{entry.type}"},
        "messages": [{"$ref": f"#/channels/{entry.type}/messages/{entry.type}"}],
        "tags": [{"name": who}],
    }


def _payloads(entries: Iterable[Entry]) -> Json:
    classes = dict.fromkeys(entry.message for entry in entries)
    _, document = models_json_schema(
        [(message, "validation") for message in classes],
        ref_template="#/components/schemas/{model}",
        schema_generator=PlainTitles,
    )
    schemas: Json = document["$defs"]
    return schemas


def _envelope() -> Json:
    attributes = {name: {"type": "string", "description": text} for name, text in ENVELOPE_ATTRIBUTES.items()}
    attributes["specversion"]["const"] = "1.0"
    attributes["id"]["format"] = attributes["causationid"]["format"] = "uuid"
    attributes["time"]["format"] = "date-time"
    attributes["sequence"]["pattern"] = "^[0-9]{1,19}$"
    return {
        "type": "object",
        "title": "Envelope",
        "description": "CloudEvents 1.0 attributes as AMQP headers.",
        "properties": {PREFIX + name: schema for name, schema in attributes.items()},
        "required": [PREFIX + name for name in REQUIRED_ATTRIBUTES],
    }


REQUIRED_ATTRIBUTES = ("specversion", "id", "source", "type", "time")
ENVELOPE_ATTRIBUTES = {
    "specversion": "`1.0`.",
    "id": "The event's UUIDv7. With `source` it is what listeners dedupe by; send again under the same id.",
    "source": "The sender: `/orders`; a storefront's is `/storefront/<shop>/<module>`.",
    "type": "The message type, equal to the routing key.",
    "time": "When it happened, RFC 3339 with a time zone.",
    "shop": "The merchant's shop.",
    "subject": "What it is about: the order's id.",
    "sequence": "Counts the sender's events about one subject, from 1.",
    "correlationid": "The conversation this message belongs to, such as an order.",
    "causationid": "The id of the message that this one answers.",
    "traceparent": "W3C trace context.",
}
"""The envelope's attributes and what they mean, in the sequence of the documentation's table."""
