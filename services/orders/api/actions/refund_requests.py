"""What the staff's programs may ask of an order's money beyond recording a payment; see order/requests.py on faults."""

from collections import Counter
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, model_validator

from contracts.message import Currency, LineNumber, Minor, Quantity, Reason, Reference, Text
from contracts.payments import (
    ConfirmRefundMark,
    GrantCredit,
    ReassignPayment,
    RefundCause,
    RefundLine,
    RefundMode,
    RefundOrder,
    RefundVerdict,
    ReversePayment,
    SettleRefund,
)
from services.orders.changes.requests import PublicComment
from services.orders.order.requests import STRICT, OrderFacts, RequestBody, currency_fault, line_faults

Amount = Annotated[Minor, Field(strict=True, gt=0)]
Why = Annotated[Text, Field(min_length=1)]


class RefundLineRequest(RequestBody):
    """Units of a line that are refunded; `restock`: those that had left go back to the shelf."""

    line: Annotated[LineNumber, STRICT]
    quantity: Annotated[Quantity, STRICT]
    restock: Annotated[bool, STRICT] = False


class RefundRequest(RequestBody):
    """Money that goes back: `recorded` here only, or really `sent` to the payment's provider.

    `currency` is the order's; each line is named once; `reference` goes with `recorded` alone.
    """

    refund_id: UUID | None = Field(default=None, description="Made by the server when absent.")
    mode: Literal["recorded", "sent"]
    amount_minor: Amount
    currency: Currency
    entry_id: UUID | None = Field(default=None, description="The payment to refund; chosen when absent.")
    lines: list[RefundLineRequest] = Field(default=[], max_length=1000)
    cause: RefundCause = Field(
        default=RefundCause.CREDIT, description="`credit` lowers what is due; the others don't."
    )
    reason: Text | None = None
    reference: Reference | None = Field(
        default=None,
        description="Confirms a `recorded` refund at once; with `sent` the provider gives it: leave it out.",
    )
    notify_customer: Annotated[bool, STRICT] = False
    public_comment: PublicComment | None = None

    @model_validator(mode="after")
    def reference_is_of_a_record(self) -> "RefundRequest":
        if self.reference is not None and self.mode == "sent":
            raise ValueError(
                "a refund that is sent gets its reference from the provider; leave reference out"
            )
        return self

    @property
    def units(self) -> dict[int, int]:
        """The refunded units by line."""
        return {one.line: one.quantity for one in self.lines}

    def faults(self, order: OrderFacts) -> list[Reason]:
        """Another currency than the order's; lines it does not have, or named twice."""
        named = Counter(one.line for one in self.lines)
        twice = [
            Reason(
                code="line_repeated",
                message=f"Line {one.line} is named {named[one.line]} times; name it once.",
                field=f"lines[{index}].line",
            )
            for index, one in enumerate(self.lines)
            if named[one.line] > 1
        ]
        numbers = [one.line for one in self.lines]
        return [*currency_fault(order, self.currency), *line_faults(order, numbers), *twice]

    def command(self, order: OrderFacts, actor: str, refund_id: UUID) -> RefundOrder:
        """The message for payments. `refund_id` is used when the caller gave none."""
        asked = {
            **dict(self),
            "mode": RefundMode(self.mode),
            "refund_id": self.refund_id or refund_id,
            "lines": [RefundLine(**dict(one)) for one in self.lines],
        }
        return RefundOrder(shop=order.shop, order_id=order.order_id, actor=actor, **asked)


class ConfirmationRequest(RequestBody):
    """The reference under which a recorded refund was really made."""

    reference: Reference

    def command(self, order: OrderFacts, actor: str, refund_id: UUID) -> ConfirmRefundMark:
        """The message for payments."""
        return ConfirmRefundMark(
            shop=order.shop, order_id=order.order_id, refund_id=refund_id, actor=actor, **dict(self)
        )


class SettlementRequest(RequestBody):
    """What becomes of a refund of which nobody knows whether it was made: the provider is asked again and makes what it
    does not have, or a person has seen there whether it was made.

    The verdict `made` needs `provider_reference`; the others go without it.
    """

    verdict: RefundVerdict
    provider_reference: Reference | None = Field(
        default=None,
        description="With `made`, needed: the provider's id of the refund, which is posted once.",
    )
    reason: Text | None = Field(default=None, description="Why: what was seen at the provider.")

    @model_validator(mode="after")
    def reference_is_of_a_refund_that_was_made(self) -> "SettlementRequest":
        if self.verdict is RefundVerdict.MADE and self.provider_reference is None:
            raise ValueError("send provider_reference, the provider's id of the refund that was made")
        if self.verdict is not RefundVerdict.MADE and self.provider_reference is not None:
            raise ValueError("provider_reference goes with the verdict made; leave it out")
        return self

    def command(self, order: OrderFacts, actor: str, refund_id: UUID) -> SettleRefund:
        """The message for payments."""
        return SettleRefund(
            shop=order.shop, order_id=order.order_id, refund_id=refund_id, actor=actor, **dict(self)
        )


class ReversalRequest(RequestBody):
    """Why a payment entered by hand is taken back: the cheque bounced, it was entered by mistake."""

    reason: Why

    def command(self, order: OrderFacts, actor: str, entry_id: UUID) -> ReversePayment:
        """The message for payments."""
        return ReversePayment(
            shop=order.shop, order_id=order.order_id, entry_id=entry_id, actor=actor, **dict(self)
        )


class CreditRequest(RequestBody):
    """What the customer owes less from now on. `currency` is the order's."""

    amount_minor: Amount
    currency: Currency
    reason: Why

    def faults(self, order: OrderFacts) -> list[Reason]:
        """Another currency than the order's."""
        return currency_fault(order, self.currency)

    def command(self, order: OrderFacts, actor: str) -> GrantCredit:
        """The message for payments."""
        return GrantCredit(shop=order.shop, order_id=order.order_id, actor=actor, **dict(self))


class ReassignmentRequest(RequestBody):
    """A payment that the order is to have: by the provider's names (`provider` with `provider_reference`), or by an
    entry of another order (`entry_id`); one of the two, not both.
    """

    provider: Reference | None = Field(default=None, description="Needs `provider_reference`.")
    provider_reference: Reference | None = Field(default=None, description="Needs `provider`.")
    entry_id: UUID | None = Field(default=None, description="Instead of `provider` and `provider_reference`.")
    note: Text | None = None

    @model_validator(mode="after")
    def names_one_payment(self) -> "ReassignmentRequest":
        by_provider = self.provider is not None and self.provider_reference is not None
        if by_provider == (self.entry_id is not None):
            raise ValueError("send provider and provider_reference, or entry_id, and not both")
        return self

    def command(self, order: OrderFacts, actor: str) -> ReassignPayment:
        """The message for payments."""
        return ReassignPayment(shop=order.shop, order_id=order.order_id, actor=actor, **dict(self))
