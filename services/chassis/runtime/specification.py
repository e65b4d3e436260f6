"""AsyncAPI document of a service, as FastStream's command line asks an application for it.

`faststream docs gen services.<name>.app:app` writes it, `faststream docs serve` shows it. It comes from the
catalogue: to FastStream, which hands on bytes, every message would look the same.
"""

import json
from dataclasses import dataclass
from typing import Any

from faststream.specification.base import Specification, SpecificationFactory

from contracts.derived.asyncapi import asyncapi


@dataclass
class Document(Specification):
    """An AsyncAPI document in the forms that FastStream asks for."""

    content: dict[str, Any]

    @property
    def title(self) -> str:
        return str(self.content["info"]["title"])

    def to_jsonable(self) -> Any:
        """Return the document as plain Python values."""
        return self.content

    def to_json(self) -> str:
        """Return the document as JSON."""
        return json.dumps(self.content, ensure_ascii=False)

    def to_yaml(self) -> str:
        """Return the document as YAML, of which JSON is a part."""
        return json.dumps(self.content, ensure_ascii=False, indent=2)


class CatalogueSpecification(SpecificationFactory):
    """The messages that one service sends and receives, whatever broker and routes its application has."""

    def __init__(self, service: str) -> None:
        self._service = service
        self.title = service
        self.description = self.version = self.contact = self.license = None

    def add_broker(self, broker: Any, /) -> SpecificationFactory:
        """Return the same document: subscribers know queues and bytes only."""
        return self

    def add_http_route(self, path: str, handler: Any) -> SpecificationFactory:
        """Return the same document: HTTP is described by OpenAPI."""
        return self

    def to_specification(self) -> Specification:
        """Return the service's document."""
        content = asyncapi(self._service)
        content["info"]["title"] = f"{content['info']['title']}: {self._service}"
        return Document(content)
