"""Catalogue of all messages: sender, listeners and, for a command, its outcomes.

The broker's exchanges, queues, bindings and rights, the AsyncAPI document and the services' READMEs are
derived from or compared with this table. A message that is not listed here is not sent.
"""

from dataclasses import dataclass

from contracts.fulfillment.lines import LinesAdded, LinesReduced
from contracts.fulfillment.parcels import PackParcel, ParcelPacked, ParcelUnpacked, UnpackParcel
from contracts.fulfillment.shipments import (
    CancelShipment,
    DeliveryRecorded,
    DispatchShipment,
    ParcelLost,
    RecordDelivery,
    ReportParcelLost,
    ShipmentCancelled,
    ShipmentDispatched,
    ShipmentUpdated,
    UpdateShipment,
)
from contracts.fulfillment.stock import (
    AdjustStock,
    SetStock,
    SetStockThreshold,
    StockLevelChanged,
    StockRanLow,
    StockRejected,
    StockReserved,
    StockRestocked,
    StockThresholdSet,
)
from contracts.message import Command, Message
from contracts.notifier.bounces import (
    AddressSuppressed,
    LiftSuppression,
    MailBounced,
    MailSuppressed,
    SuppressAddress,
    SuppressionLifted,
)
from contracts.notifier.conversation import (
    AddParticipant,
    ChangeThread,
    FileMail,
    MailFiled,
    MailReceived,
    MessagePosted,
    ParticipantAdded,
    ParticipantRemoved,
    PostMessage,
    RemoveParticipant,
    ThreadChanged,
)
from contracts.notifier.mail_rules import ChangeMailRules, MailRulesChanged
from contracts.notifier.mail_texts import (
    ChangeShopProfile,
    ResetTemplate,
    SendTestMail,
    SetTemplate,
    ShopProfileChanged,
    TemplateChanged,
)
from contracts.notifier.mails import (
    ConfirmMail,
    MailFailed,
    MailSent,
    MailUncertain,
    MailWithdrawn,
    ResendMail,
)
from contracts.notifier.page import CancellationDeclined, CancellationRequested
from contracts.orders.changes import LinesAdditionRequested, LinesReductionRequested, OrderEdited
from contracts.orders.erasure import CustomerErased, ErasureDone
from contracts.orders.lifecycle import (
    CheckoutAbandoned,
    CheckoutResumed,
    OrderCompleted,
    OrderDeleted,
    OrderPlaced,
    OrderRejected,
    OrderStateChanged,
    PaymentReferenced,
    StatusUpdated,
)
from contracts.payments.accounts import (
    BalanceChanged,
    PaymentReassigned,
    PaymentReversed,
    PaymentSettled,
    PaymentUnmatched,
    ReassignPayment,
    RecordPayment,
    ReversePayment,
)
from contracts.payments.disputes import DisputeClosed, DisputeOpened, DisputeUpdated, ResolveDispute
from contracts.payments.invoices import (
    ChangeInvoicing,
    CreditNoteIssued,
    InvoiceIssued,
    InvoicingChanged,
    ReissueInvoice,
)
from contracts.payments.refunds import (
    ConfirmRefundMark,
    CreditGranted,
    GrantCredit,
    RefundConfirmed,
    RefundFailed,
    RefundMarked,
    RefundMarkOverdue,
    RefundOrder,
    RefundSent,
    RefundUncertain,
    SettleRefund,
)
from contracts.service import CommandDone, CommandRejected, MessageDiscarded, MessageParked, MessageRedriven
from contracts.storefront import CheckoutDropped, CheckoutOpened, OrderAccepted, OrderRefused, OrderSubmitted

STOREFRONT = "storefront"
"""Sender of the messages that storefront modules publish; its exchange has the same name."""
PUBLIC = "public"
"""Exchange from which storefronts receive their own answers, keyed `<shop>.<module>.<type>`."""
SERVICES = ("orders", "payments", "fulfillment", "notifier")


MessageClass = type[Message]
_ENDS_OF_MAILS = (MailSent, MailFailed, MailUncertain, MailBounced, MailSuppressed, MailWithdrawn)
_ANSWERS: tuple[MessageClass, ...] = (CommandRejected, CommandDone, MessageParked, MessageDiscarded)


@dataclass(frozen=True)
class Entry:
    """One message on the wire. `type` is also the routing key; `outcomes` are types that answer a command."""

    type: str
    message: MessageClass
    sender: str
    listeners: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    public: bool = False

    @property
    def is_command(self) -> bool:
        return issubclass(self.message, Command)

    @property
    def exchange(self) -> str:
        return PUBLIC if self.public else self.sender


def _entry(sender: str, message: type[Message], *listeners: str, public: bool = False) -> Entry:
    return Entry(f"{sender}.{message.wire_name}", message, sender, listeners, public=public)


def _command(message: type[Command], listener: str, *outcomes: type[Message]) -> Entry:
    types = tuple(f"{listener}.{answer.wire_name}" for answer in (*outcomes, *_ANSWERS))
    return Entry(f"orders.{message.wire_name}", message, "orders", (listener,), types)


def _facts(sender: str, *messages: type[Message]) -> tuple[Entry, ...]:
    """Return the entries of messages that orders alone listens to."""
    return tuple(_entry(sender, message, "orders") for message in messages)


def _of_any_service(sender: str) -> tuple[Entry, ...]:
    outcome_listeners = () if sender == "orders" else ("orders",)
    return (
        _entry(sender, CommandRejected, *outcome_listeners),
        _entry(sender, CommandDone, *outcome_listeners),
        _entry(sender, MessageParked, *outcome_listeners),
        _entry(sender, MessageRedriven),
        _entry(sender, MessageDiscarded, *outcome_listeners),
    )


_ENTRIES = (
    _entry(STOREFRONT, CheckoutOpened, "orders"),
    _entry(STOREFRONT, CheckoutDropped, "orders"),
    _entry(STOREFRONT, OrderSubmitted, "orders"),
    _entry("orders", OrderAccepted, public=True),
    _entry("orders", OrderRefused, public=True),
    _entry("orders", OrderPlaced, "payments", "fulfillment", "notifier"),
    _entry("orders", OrderRejected),
    _entry("orders", OrderStateChanged),
    _entry("orders", OrderCompleted, "notifier"),
    _entry("orders", LinesReductionRequested, "fulfillment"),
    _entry("orders", LinesAdditionRequested, "fulfillment"),
    _entry("orders", OrderEdited, "payments", "notifier"),
    _entry("orders", OrderDeleted, "payments", "fulfillment", "notifier"),
    _entry("orders", CustomerErased, "payments", "fulfillment", "notifier"),
    _entry("orders", PaymentReferenced, "payments"),
    _entry("orders", StatusUpdated, "notifier"),
    _entry("orders", CancellationDeclined, "notifier"),
    _entry("orders", CheckoutAbandoned, "notifier"),
    _entry("orders", CheckoutResumed, "notifier"),
    _command(RecordPayment, "payments", PaymentSettled),
    _command(ReversePayment, "payments", PaymentReversed),
    _command(ReassignPayment, "payments", PaymentReassigned),
    _command(GrantCredit, "payments", CreditGranted),
    _command(RefundOrder, "payments", RefundMarked, RefundSent, RefundFailed, RefundUncertain),
    _command(ConfirmRefundMark, "payments", RefundConfirmed),
    _command(SettleRefund, "payments"),
    _command(ResolveDispute, "payments", DisputeClosed),
    _command(ChangeInvoicing, "payments", InvoicingChanged),
    _command(ReissueInvoice, "payments", InvoiceIssued),
    _command(SetStock, "fulfillment", StockLevelChanged),
    _command(AdjustStock, "fulfillment", StockLevelChanged),
    _command(SetStockThreshold, "fulfillment", StockThresholdSet),
    _command(PackParcel, "fulfillment", ParcelPacked),
    _command(UnpackParcel, "fulfillment", ParcelUnpacked),
    _command(DispatchShipment, "fulfillment", ShipmentDispatched),
    _command(UpdateShipment, "fulfillment", ShipmentUpdated),
    _command(CancelShipment, "fulfillment", ShipmentCancelled),
    _command(ReportParcelLost, "fulfillment", ParcelLost),
    _command(RecordDelivery, "fulfillment", DeliveryRecorded),
    _command(ResendMail, "notifier", *_ENDS_OF_MAILS),
    _command(ConfirmMail, "notifier", MailSent),
    _command(SetTemplate, "notifier", TemplateChanged),
    _command(ResetTemplate, "notifier", TemplateChanged),
    _command(ChangeShopProfile, "notifier", ShopProfileChanged),
    _command(SendTestMail, "notifier"),
    _command(ChangeMailRules, "notifier", MailRulesChanged),
    _command(PostMessage, "notifier", MessagePosted),
    _command(ChangeThread, "notifier", ThreadChanged),
    _command(FileMail, "notifier", MailFiled),
    _command(AddParticipant, "notifier", ParticipantAdded),
    _command(RemoveParticipant, "notifier", ParticipantRemoved),
    _command(SuppressAddress, "notifier", AddressSuppressed),
    _command(LiftSuppression, "notifier", SuppressionLifted),
    *_facts("payments", PaymentSettled, BalanceChanged),
    _entry("payments", PaymentUnmatched, "orders", "notifier"),
    *_facts("payments", PaymentReversed, PaymentReassigned, CreditGranted),
    _entry("payments", RefundMarked, "orders", "fulfillment", "notifier"),
    _entry("payments", RefundSent, "orders", "fulfillment", "notifier"),
    _entry("payments", RefundConfirmed, "orders"),
    _entry("payments", RefundFailed, "orders", "notifier"),
    _entry("payments", RefundUncertain, "orders"),
    _entry("payments", RefundMarkOverdue, "notifier"),
    _entry("payments", DisputeOpened, "orders", "notifier"),
    _entry("payments", DisputeUpdated, "orders", "notifier"),
    _entry("payments", DisputeClosed, "orders"),
    _entry("payments", InvoiceIssued, "orders", "notifier"),
    _entry("payments", CreditNoteIssued, "orders", "notifier"),
    _entry("payments", InvoicingChanged, "orders", "notifier"),
    *_facts("fulfillment", StockReserved, StockRejected, StockLevelChanged, StockRestocked),
    *_facts("fulfillment", StockThresholdSet),
    _entry("fulfillment", StockRanLow, "notifier"),
    *_facts("fulfillment", ParcelPacked, ParcelUnpacked, LinesReduced, LinesAdded),
    _entry("fulfillment", ShipmentDispatched, "orders", "notifier"),
    _entry("fulfillment", ShipmentUpdated, "orders", "notifier"),
    _entry("fulfillment", ShipmentCancelled, "orders", "notifier"),
    _entry("fulfillment", ParcelLost, "orders", "notifier"),
    _entry("fulfillment", DeliveryRecorded, "orders"),
    *_facts("notifier", MailSent, MailFailed, MailUncertain, MailWithdrawn, CancellationRequested),
    *_facts("notifier", TemplateChanged, ShopProfileChanged, MailRulesChanged),
    *(_entry(service, ErasureDone, "orders") for service in SERVICES if service != "orders"),
    *_facts("notifier", MessagePosted, ThreadChanged, MailFiled, ParticipantAdded, ParticipantRemoved),
    *_facts("notifier", MailReceived, MailBounced, MailSuppressed, AddressSuppressed, SuppressionLifted),
    *(entry for service in SERVICES for entry in _of_any_service(service)),
)

CATALOGUE: dict[str, Entry] = {entry.type: entry for entry in _ENTRIES}
"""All messages by type."""


def consumed_by(listener: str) -> tuple[Entry, ...]:
    """Return the messages a service receives, in catalogue order."""
    return tuple(entry for entry in _ENTRIES if listener in entry.listeners)


def sent_by(sender: str) -> tuple[Entry, ...]:
    """Return the messages a sender may publish, in catalogue order."""
    return tuple(entry for entry in _ENTRIES if entry.sender == sender)


def type_of(message: type[Message], sender: str) -> str:
    """Return the type (= routing key) of a message class for this sender. Raises KeyError if it never publishes it."""
    return CATALOGUE[f"{sender}.{message.wire_name}"].type


def queue_of(listener: str, sender: str) -> str:
    """Return the queue of a listener for one sender: `orders.payments`."""
    return f"{listener}.{sender}"


def queues_of(listener: str) -> tuple[str, ...]:
    """Return the queues of a listener, one per sender."""
    senders = dict.fromkeys(entry.sender for entry in consumed_by(listener))
    return tuple(queue_of(listener, sender) for sender in senders)
