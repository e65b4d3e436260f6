"""What an answer may quote: the messages of its thread, and the mails of its order as they were sent."""

import json
from collections.abc import Callable, Iterator
from uuid import UUID

import structlog

from services.chassis.errors import places
from services.chassis.storage.database import Connection
from services.notifier.conversation.filing.folding import Earlier
from services.notifier.conversation.parsing.html_text import text_of_html
from services.notifier.mails import store as mail_store
from services.notifier.mails.compose.composing import BUILT_IN, write_pages
from services.notifier.mails.compose.wording import OwnTexts
from services.notifier.mails.mail import TO_MERCHANT, Mail, Recipient
from services.notifier.mails.settings import ShopProfile
from services.notifier.mails.texts import store as text_store
from services.notifier.mails.texts.planning import language_of, wording_of

log = structlog.get_logger()
MOST_MESSAGES = 50
MOST_MAILS = 10
LinkOf = Callable[[Mail], str | None]
"""Function that returns the link to the customer's page that a mail shows: quoted, it folds like all that is ours."""


def no_link(_: Mail) -> str | None:
    """Return no link: mails have none without the address of the customers' page."""
    return None


async def earlier_of(
    connection: Connection, recipient: Recipient, shop: ShopProfile | None, link_of: LinkOf
) -> Earlier:
    """Return the text that was written in an order's thread before, the latest first."""
    messages = await connection.fetch(
        """SELECT segments FROM message WHERE (shop, order_id) = ($1, $2)
           ORDER BY posted_at DESC, message_id DESC LIMIT $3""",
        recipient.shop,
        recipient.order_id,
        MOST_MESSAGES,
    )
    texts = ["".join(segment["text"] for segment in json.loads(row["segments"])) for row in messages]
    mails = await _mails(connection, recipient) if shop else []
    sent = [
        text
        for mail in mails
        for text in _pages(mail, recipient, shop, link_of(mail), await _own(connection, mail))
    ]
    return Earlier([*texts, *sent])


async def _mails(connection: Connection, recipient: Recipient) -> list[Mail]:
    rows = await connection.fetch(
        """SELECT id FROM mail WHERE (shop, order_id) = ($1, $2) AND NOT template = ANY($3::text[])
           ORDER BY created_at DESC LIMIT $4""",
        recipient.shop,
        recipient.order_id,
        sorted(TO_MERCHANT),
        MOST_MAILS,
    )
    ids: list[UUID] = [row["id"] for row in rows]
    return await mail_store.read_mails(connection, ids) if ids else []


async def _own(connection: Connection, mail: Mail) -> OwnTexts:
    """Return the texts of the shop's own that the mail was planned with."""
    if not mail.versions:
        return BUILT_IN
    wording, language = wording_of(mail.template, mail.context), language_of(mail.locale)
    texts, _ = await text_store.read_versions(connection, mail.shop, wording, language, dict(mail.versions))
    return texts


def _pages(
    mail: Mail, recipient: Recipient, shop: ShopProfile | None, page_url: str | None, own: OwnTexts
) -> Iterator[str]:
    """Yield a mail's text, and that of its HTML, which most programs quote."""
    if shop is None:
        return
    try:
        pages = write_pages(mail, recipient, shop, page_url, own)
    except Exception as error:  # noqa: BLE001 - whatever it is, more of the answer shows
        log.warning(
            "a mail could not be written for comparison", error=type(error).__name__, places=places(error)
        )
        return
    yield pages.text
    yield text_of_html(pages.html)
