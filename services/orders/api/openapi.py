"""The OpenAPI document of the REST API: `python -m services.orders.api.openapi` writes it beside the code.

Client authors read the committed file and generate code from it; a test compares it with the routes.
"""

from pathlib import Path

from services.chassis.http import documented
from services.orders.api.app import routes

FILE = Path(__file__).with_name("openapi.json")


def as_text() -> str:
    """Return the document of the current routes as the text that is committed."""
    return documented.as_text(routes())


if __name__ == "__main__":
    FILE.write_text(as_text(), encoding="utf-8")
