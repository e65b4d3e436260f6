"""One JSON Schema (2020-12) per message type, from the message's class.

The same classes always give the same text: keys are sorted, and titles that only repeat a field's name are
left out. A schema describes what a listener accepts; unknown fields are allowed: a sender may add one.
"""

import inspect
import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from contracts.catalogue import Entry
from contracts.message import Message

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class PlainTitles(GenerateJsonSchema):
    """pydantic's generator without a title on every field."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schema_of(entry: Entry) -> dict[str, Any]:
    """Return the JSON Schema of one message type; its `$id` never changes."""
    schema = entry.message.model_json_schema(schema_generator=PlainTitles)
    return {"$schema": DIALECT, "$id": f"urn:comptoir:message:{entry.type}", **schema}


def summary_of(message: type[Message]) -> str:
    """Return the first line of a message's docstring: one past-tense sentence for an event."""
    return inspect.cleandoc(message.__doc__ or "").split("\n")[0]


def text_of(document: dict[str, Any]) -> str:
    """Return JSON as it is committed."""
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
