"""SQL of attachments: written once, with the mail that brought them."""

from collections.abc import Collection, Sequence
from typing import NamedTuple
from uuid import UUID, uuid5

from services.chassis.storage.bulk import Bulk, Integer
from services.chassis.storage.database import Connection
from services.notifier.conversation.inbound import InboundMail
from services.notifier.conversation.parsing.files import File

LOGO_BYTES = 64 * 1024
"""A picture in the text of at most this size that the thread had before is a logo: it folds."""


class AttachmentRow(NamedTuple):
    attachment_id: UUID
    inbound_id: UUID
    number: Integer
    shop: str
    name: str
    type: str
    size: Integer
    sha256: bytes
    state: str
    content: bytes | None


_INSERT = Bulk(
    AttachmentRow,
    """INSERT INTO attachment ({columns})
       SELECT * FROM {rows}
       ON CONFLICT DO NOTHING""",
)


async def insert(connection: Connection, rows: Sequence[AttachmentRow]) -> None:
    """Write the attachments of a mail; existing rows stay unchanged."""
    await _INSERT.execute(connection, rows)


async def seen_in_thread(connection: Connection, shop: str, order_id: UUID) -> set[bytes]:
    """Return the SHA-256 of the small files that mails of this order brought before."""
    rows = await connection.fetch(
        """SELECT a.sha256 FROM attachment a JOIN inbound_mail i USING (inbound_id)
           WHERE (i.shop, i.order_id) = ($1, $2) AND a.size <= $3""",
        shop,
        order_id,
        LOGO_BYTES,
    )
    return {row["sha256"] for row in rows}


def kept(mail: InboundMail, files: Sequence[File], seen: Collection[bytes] = ()) -> list[AttachmentRow]:
    """Return the rows of a mail's files; `seen` are the small files of its thread."""
    return [
        AttachmentRow(
            attachment_id=uuid5(mail.inbound_id, str(number)),
            inbound_id=mail.inbound_id,
            number=number,
            shop=mail.shop,
            name=file.name,
            type=file.type,
            size=file.size,
            sha256=file.sha256,
            state="folded" if _is_logo(file, seen) else file.state,
            content=file.content,
        )
        for number, file in enumerate(files)
    ]


def _is_logo(file: File, seen: Collection[bytes]) -> bool:
    return file.is_inline_picture and file.size <= LOGO_BYTES and file.sha256 in seen and file.state == "kept"
