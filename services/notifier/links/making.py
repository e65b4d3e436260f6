"""The link of a mail that is about to be sent: made when the mail is composed, so that each has one.

Mails planned before links existed, and those sent again to a corrected address, thereby have one too.
"""

from typing import NamedTuple

from services.chassis.messaging.process import Process
from services.notifier.links.link import hash_of, key_of, token_of, url_of
from services.notifier.links.store import LinkRow
from services.notifier.mails import settings as configured
from services.notifier.mails.mail import TO_MERCHANT, Mail, is_about_an_order


class Link(NamedTuple):
    """A link, and the row that must be committed before a reader may follow it."""

    url: str
    row: LinkRow


class LinkMaker:
    """Maker of the links of one installation."""

    def __init__(self, process: Process) -> None:
        self._page_url = configured.of(process).page_url
        self._key = key_of(process.settings.internal_token.get_secret_value())

    def shown_by(self, mail: Mail) -> str | None:
        """Return the link that a mail to a customer shows, or showed; None without `COMPTOIR_PAGE_URL`."""
        if self._page_url is None or mail.template in TO_MERCHANT:
            return None
        return url_of(self._page_url, token_of(self._key, mail.id, mail.recipient))

    def link_of(self, mail: Mail) -> Link | None:
        """Return the link that a mail shows; None for the merchant's mails, those about no placed order, and
        without `COMPTOIR_PAGE_URL`.
        """
        if self._page_url is None or mail.template in TO_MERCHANT:
            return None
        if mail.order_id is None or not is_about_an_order(mail):
            return None
        token = token_of(self._key, mail.id, mail.recipient)
        hashed = hash_of(token)
        assert hashed is not None
        row = LinkRow(hashed, mail.shop, mail.order_id, mail.id, mail.recipient, mail.created_at)
        return Link(url_of(self._page_url, token), row)
