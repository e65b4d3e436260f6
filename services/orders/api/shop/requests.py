"""Request bodies for an article's threshold and for the switches of mails."""

from typing import Annotated

from pydantic import Field

from contracts.fulfillment.stock import SetStockThreshold
from contracts.message import Count, Sku
from contracts.notifier.mail_rules import AbandonedAfter, ChangeMailRules
from contracts.notifier.mail_texts import TemplateName
from services.orders.order.requests import STRICT, RequestBody


class ThresholdRequest(RequestBody):
    """The number of available units, over all locations, at or below which the shop is warned about an article."""

    sku: Sku
    threshold: Count | None = Field(description="Null removes the threshold: no warning about this article.")

    def command(self, shop: str, actor: str) -> SetStockThreshold:
        """Return the command for fulfillment."""
        return SetStockThreshold(shop=shop, actor=actor, **dict(self))


class MailRulesRequest(RequestBody):
    """Switches of mails that change; those that are not named stay as they are."""

    switches: dict[TemplateName, Annotated[bool, STRICT]] = Field(
        default={}, max_length=100, description="By mail, whether it is sent. GET /v1/mail-rules lists them."
    )
    abandoned_after_minutes: Annotated[AbandonedAfter, STRICT]
    version: Annotated[int, Field(strict=True, ge=0)] = Field(
        description="The version that this is based on, from GET /v1/mail-rules; 0 before the first change."
    )

    def command(self, shop: str, actor: str) -> ChangeMailRules:
        """Return the command for the notifier."""
        return ChangeMailRules(
            shop=shop,
            switches=self.switches,
            abandoned_after_minutes=self.abandoned_after_minutes,
            based_on_version=self.version,
            actor=actor,
        )
