"""Request bodies for invoices; see order/requests.py on faults."""

from typing import Annotated

from pydantic import ConfigDict, Field

from contracts.message import Text
from contracts.payments.invoices import ChangeInvoicing, InvoicingSettings, ReissueInvoice
from services.chassis.texts import Seen
from services.orders.order.requests import STRICT, OrderFacts, RequestBody


class InvoiceRequest(RequestBody):
    """Reason for issuing an order's invoice now, or again; it stands on the credit note of the one before."""

    reason: Annotated[Text, Field(min_length=1), Seen]

    def command(self, order: OrderFacts, actor: str) -> ReissueInvoice:
        """Return the command for payments."""
        return ReissueInvoice(shop=order.shop, order_id=order.order_id, actor=actor, **dict(self))


class InvoicingBody(InvoicingSettings, RequestBody):
    """A shop's invoicing settings, all of them: a field that is left out gets its default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class InvoicingRequest(RequestBody):
    """The settings that replace a shop's, and the version that was changed: 0 before the first change.

    `keeps_logo` keeps the logo that is stored, whatever `settings.logo` holds.
    """

    settings: InvoicingBody
    keeps_logo: Annotated[bool, STRICT] = False
    version: Annotated[int, Field(strict=True, ge=0)]

    def command(self, shop: str, actor: str) -> ChangeInvoicing:
        """Return the command for payments."""
        settings = InvoicingSettings.model_validate(self.settings.model_dump())
        return ChangeInvoicing(
            shop=shop, settings=settings, keeps_logo=self.keeps_logo, version=self.version, actor=actor
        )
