"""Tolerance of malformed AMQP properties: no foreign client's message may cost us the connection.

The broker passes properties on unchanged. pamqp raises on some of them (text that is not UTF-8, a timestamp
past the year 9999, an unknown field type) while it reads the frame; aiormq then drops the connection, the
broker redelivers the same message, and one message would stop a service permanently. After
`tolerate_foreign_properties` such properties are read as empty but for headers that contain the reason; the
message then has no envelope and is parked like any other without one.
"""

import base64
import struct

from pamqp import commands
from pamqp.header import ContentHeader

UNREADABLE = "comptoir-unreadable"
RAW = "comptoir-raw-properties"
MOST_RAW_BYTES = 8192
_FIXED = struct.Struct(">HHQ")
_strictly = ContentHeader.unmarshal


def tolerate_foreign_properties() -> None:
    """Make pamqp's reading of content headers lenient in this process. May be called repeatedly."""
    ContentHeader.unmarshal = _leniently  # type: ignore[method-assign, assignment]


def _leniently(header: ContentHeader, data: bytes) -> None:
    try:
        _strictly(header, data)
    except Exception as error:
        header.class_id, header.weight, header.body_size = _FIXED.unpack(data[: _FIXED.size])
        raw = base64.b64encode(data[_FIXED.size :][:MOST_RAW_BYTES]).decode()
        header.properties = commands.Basic.Properties(
            headers={UNREADABLE: f"{type(error).__name__}: {error}"[:500], RAW: raw}
        )
