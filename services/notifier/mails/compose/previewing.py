"""Preview of a mail before it exists, from data in the request; reads nothing, changes nothing.

The live preview of a public comment requests this at every pause in typing, so it makes no database query;
and it goes through the same templates, screening and escaping as the mail itself.
"""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.message import Currency, Locale, Minor, OrderCode, Shop
from contracts.orders.lifecycle import OrderPlaced
from contracts.payments.refunds import RefundLine
from services.notifier.mails.compose.composing import Pages, write_pages
from services.notifier.mails.mail import ALERTS, TO_MERCHANT, Mail, Recipient, Template
from services.notifier.mails.settings import NotifierSettings

_NOBODY = UUID(int=0)
_WITHOUT_ORDER = {
    Template.STATUS_UPDATED,
    Template.ORDER_CANCELLED,
    Template.CANCELLATION_DECLINED,
    Template.REFUND_MADE,
    Template.REFUND_FAILED,
    Template.INVOICE,
    Template.CREDIT_NOTE,
    Template.PAGE_LINK,
    Template.MESSAGE_POSTED,
    Template.MESSAGE_RECEIVED,
    Template.ORDER_COMPLETED,
    Template.CHECKOUT_ABANDONED,
    *ALERTS,
}


class PreviewUnusable(ValueError):
    """The data are not valid for this mail; the text names every invalid field."""


class StatusResponse(BaseModel):
    """Data of the mail about a status."""

    model_config = ConfigDict(extra="forbid")

    state: Annotated[str, Field(max_length=60)] = ""
    label_texts: dict[str, Annotated[str, Field(max_length=200)]]
    public_comment: Annotated[str, Field(max_length=4000)] | None = None


class CancellationResponse(BaseModel):
    """Data of the mail about a cancellation."""

    model_config = ConfigDict(extra="forbid")

    public_comment: Annotated[str, Field(max_length=4000)] | None = None


class DeclinedResponse(BaseModel):
    """Data of the mail about a request to cancel that was declined."""

    model_config = ConfigDict(extra="forbid")

    public_comment: Annotated[str, Field(min_length=1, max_length=4000)]


class RefundResponse(BaseModel):
    """Data of the mail about a refund; amounts in minor units. `names`: the names of the lines, by number."""

    model_config = ConfigDict(extra="forbid")

    mode: Annotated[str, Field(max_length=20)]
    state: Annotated[str, Field(max_length=20)] | None = None
    amount_minor: Minor
    currency: Currency
    lines: Annotated[list[RefundLine], Field(max_length=1000)] = []
    names: Annotated[dict[str, str], Field(max_length=1000)] = {}
    public_comment: Annotated[str, Field(max_length=4000)] | None = None


class FailedRefundResponse(BaseModel):
    """Data of the mail about a refund that failed; the amount in minor units."""

    model_config = ConfigDict(extra="forbid")

    amount_minor: Minor
    currency: Currency


class DocumentResponse(BaseModel):
    """Data of the mail with an invoice or a credit note; the amount in minor units."""

    model_config = ConfigDict(extra="forbid")

    number: Annotated[str, Field(max_length=40)]
    amount_minor: Minor
    currency: Currency


class MessageResponse(BaseModel):
    """Data of the mail with a message of the conversation."""

    model_config = ConfigDict(extra="forbid")

    author: Annotated[str, Field(max_length=200)]
    is_flood: bool = False
    text: Annotated[str, Field(max_length=10_000)]


_CONTEXTS: dict[Template, type[BaseModel]] = {
    Template.STATUS_UPDATED: StatusResponse,
    Template.ORDER_CANCELLED: CancellationResponse,
    Template.CANCELLATION_DECLINED: DeclinedResponse,
    Template.REFUND_MADE: RefundResponse,
    Template.REFUND_FAILED: FailedRefundResponse,
    Template.INVOICE: DocumentResponse,
    Template.CREDIT_NOTE: DocumentResponse,
    Template.MESSAGE_POSTED: MessageResponse,
    Template.MESSAGE_RECEIVED: MessageResponse,
}


class PreviewRequest(BaseModel):
    """Request for a preview: which mail, for whom, with what data. `order` is OrderPlaced as JSON, needed by
    all templates that show one.
    """

    model_config = ConfigDict(extra="forbid")

    shop: Shop
    template: Template
    locale: Locale = "fr"
    code: OrderCode
    name: Annotated[str, Field(max_length=200)]
    context: dict[str, Any] = Field(default_factory=dict)
    order: OrderPlaced | None = None


def preview(body: bytes, settings: NotifierSettings, page_url: str | None = None) -> Pages:
    """Return the mail that this JSON would give, with this link to the customer's page. Raises PreviewUnusable,
    ShopUnknown.
    """
    try:
        request = PreviewRequest.model_validate_json(body)
        if shown := _CONTEXTS.get(request.template):
            shown.model_validate(request.context)
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, one['loc'])) or 'body'}: {one['msg']}" for one in error.errors())
        raise PreviewUnusable("; ".join(faults)[:1000]) from None
    if request.order is None and request.template not in _WITHOUT_ORDER:
        raise PreviewUnusable(f"order: the mail {request.template} shows one; send OrderPlaced as JSON")
    shop = settings.profile(request.shop)
    try:
        link = page_url if request.template not in TO_MERCHANT else None
        return write_pages(_mail(request), _recipient(request), shop, link)
    except (KeyError, TypeError) as error:
        raise PreviewUnusable(f"context: the mail {request.template} needs {error}") from None


def _mail(request: PreviewRequest) -> Mail:
    return Mail(
        id=_NOBODY,
        shop=request.shop,
        order_id=_NOBODY,
        code=request.code,
        cause_id=_NOBODY,
        template=request.template,
        recipient="",
        locale=request.locale,
        message_id="",
        context=request.context,
        created_at=datetime.now(UTC),
    )


def _recipient(request: PreviewRequest) -> Recipient:
    placed = request.order.model_dump(mode="json", exclude_none=True) if request.order else {}
    return Recipient(request.shop, _NOBODY, request.code, request.name, "", request.locale, _NOBODY, placed)
