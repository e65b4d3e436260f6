"""The OpenAPI document of the REST API: `python -m services.orders.api.openapi` writes it beside the code.

Client authors read the committed file and generate code from it; a test compares it with the routes.
"""

import json
from pathlib import Path
from typing import Any

from services.orders.api.app import routes

FILE = Path(__file__).with_name("openapi.json")


def document() -> dict[str, Any]:
    """Return the document of the current routes."""
    return routes().openapi()


def as_text() -> str:
    """Return the document as the text that is committed."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(as_text(), encoding="utf-8")
