"""Every message: who sends it, who listens, and for a command what its outcomes are.

The broker's exchanges, queues, bindings and rights, the AsyncAPI document and the services' READMEs are
derived from or compared with this table. A message that is not here does not exist.
"""

from dataclasses import dataclass

from contracts.fulfillment import (
    AdjustStock,
    CancelShipment,
    DeliveryRecorded,
    DispatchShipment,
    LinesAdded,
    LinesReduced,
    PackParcel,
    ParcelLost,
    ParcelPacked,
    ParcelUnpacked,
    RecordDelivery,
    ReportParcelLost,
    SetStock,
    ShipmentCancelled,
    ShipmentDispatched,
    ShipmentUpdated,
    StockLevelChanged,
    StockRejected,
    StockReserved,
    StockRestocked,
    UnpackParcel,
    UpdateShipment,
)
from contracts.message import Command, Message
from contracts.notifier import ConfirmMail, MailFailed, MailSent, MailUncertain, ResendMail
from contracts.orders import (
    CheckoutAbandoned,
    LinesAdditionRequested,
    LinesReductionRequested,
    OrderDeleted,
    OrderEdited,
    OrderPlaced,
    OrderRejected,
    OrderStateChanged,
    PaymentReferenced,
    StatusUpdated,
)
from contracts.payments import (
    BalanceChanged,
    ConfirmRefundMark,
    CreditGranted,
    GrantCredit,
    PaymentReassigned,
    PaymentReversed,
    PaymentSettled,
    PaymentUnmatched,
    ReassignPayment,
    RecordPayment,
    RefundConfirmed,
    RefundFailed,
    RefundMarked,
    RefundOrder,
    RefundSent,
    RefundUncertain,
    ReversePayment,
    SettleRefund,
)
from contracts.service import CommandDone, CommandRejected, MessageDiscarded, MessageParked, MessageRedriven
from contracts.storefront import (
    CheckoutDropped,
    CheckoutOpened,
    OrderAccepted,
    OrderRefused,
    OrderSubmitted,
)

STOREFRONT = "storefront"
"""Sender of what storefront modules publish; exchange of the same name."""
PUBLIC = "public"
"""Exchange on which storefronts hear their own answers, keyed `<shop>.<module>.<type>`."""
SERVICES = ("orders", "payments", "fulfillment", "notifier")


MessageClass = type[Message]


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
    answers: tuple[MessageClass, ...] = (
        *outcomes,
        CommandRejected,
        CommandDone,
        MessageParked,
        MessageDiscarded,
    )
    types = tuple(f"{listener}.{answer.wire_name}" for answer in answers)
    return Entry(f"orders.{message.wire_name}", message, "orders", (listener,), types)


def _of_any_service(sender: str) -> tuple[Entry, ...]:
    hears_outcomes = () if sender == "orders" else ("orders",)
    return (
        _entry(sender, CommandRejected, *hears_outcomes),
        _entry(sender, CommandDone, *hears_outcomes),
        _entry(sender, MessageParked, *hears_outcomes),
        _entry(sender, MessageRedriven),
        _entry(sender, MessageDiscarded, *hears_outcomes),
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
    _entry("orders", LinesReductionRequested, "fulfillment"),
    _entry("orders", LinesAdditionRequested, "fulfillment"),
    _entry("orders", OrderEdited, "payments", "notifier"),
    _entry("orders", OrderDeleted, "payments", "fulfillment", "notifier"),
    _entry("orders", PaymentReferenced, "payments"),
    _entry("orders", StatusUpdated, "notifier"),
    _entry("orders", CheckoutAbandoned),
    _command(RecordPayment, "payments", PaymentSettled),
    _command(ReversePayment, "payments", PaymentReversed),
    _command(ReassignPayment, "payments", PaymentReassigned),
    _command(GrantCredit, "payments", CreditGranted),
    _command(RefundOrder, "payments", RefundMarked, RefundSent, RefundFailed, RefundUncertain),
    _command(ConfirmRefundMark, "payments", RefundConfirmed),
    _command(SettleRefund, "payments"),
    _command(SetStock, "fulfillment", StockLevelChanged),
    _command(AdjustStock, "fulfillment", StockLevelChanged),
    _command(PackParcel, "fulfillment", ParcelPacked),
    _command(UnpackParcel, "fulfillment", ParcelUnpacked),
    _command(DispatchShipment, "fulfillment", ShipmentDispatched),
    _command(UpdateShipment, "fulfillment", ShipmentUpdated),
    _command(CancelShipment, "fulfillment", ShipmentCancelled),
    _command(ReportParcelLost, "fulfillment", ParcelLost),
    _command(RecordDelivery, "fulfillment", DeliveryRecorded),
    _command(ResendMail, "notifier", MailSent, MailFailed, MailUncertain),
    _command(ConfirmMail, "notifier", MailSent),
    _entry("payments", PaymentSettled, "orders"),
    _entry("payments", BalanceChanged, "orders"),
    _entry("payments", PaymentUnmatched, "orders"),
    _entry("payments", PaymentReversed, "orders"),
    _entry("payments", PaymentReassigned, "orders"),
    _entry("payments", CreditGranted, "orders"),
    _entry("payments", RefundMarked, "orders", "fulfillment", "notifier"),
    _entry("payments", RefundSent, "orders", "fulfillment", "notifier"),
    _entry("payments", RefundConfirmed, "orders"),
    _entry("payments", RefundFailed, "orders", "notifier"),
    _entry("payments", RefundUncertain, "orders"),
    _entry("fulfillment", StockReserved, "orders"),
    _entry("fulfillment", StockRejected, "orders"),
    _entry("fulfillment", StockLevelChanged, "orders"),
    _entry("fulfillment", StockRestocked, "orders"),
    _entry("fulfillment", ParcelPacked, "orders"),
    _entry("fulfillment", ParcelUnpacked, "orders"),
    _entry("fulfillment", LinesReduced, "orders"),
    _entry("fulfillment", LinesAdded, "orders"),
    _entry("fulfillment", ShipmentDispatched, "orders", "notifier"),
    _entry("fulfillment", ShipmentUpdated, "orders", "notifier"),
    _entry("fulfillment", ShipmentCancelled, "orders", "notifier"),
    _entry("fulfillment", ParcelLost, "orders", "notifier"),
    _entry("fulfillment", DeliveryRecorded, "orders"),
    _entry("notifier", MailSent, "orders"),
    _entry("notifier", MailFailed, "orders"),
    _entry("notifier", MailUncertain, "orders"),
    *(entry for service in SERVICES for entry in _of_any_service(service)),
)

CATALOGUE: dict[str, Entry] = {entry.type: entry for entry in _ENTRIES}
"""All messages by type."""


def heard_by(listener: str) -> tuple[Entry, ...]:
    """The messages a service listens to, in the catalogue's sequence."""
    return tuple(entry for entry in _ENTRIES if listener in entry.listeners)


def sent_by(sender: str) -> tuple[Entry, ...]:
    """The messages a sender may publish, in the catalogue's sequence."""
    return tuple(entry for entry in _ENTRIES if entry.sender == sender)


def type_of(message: type[Message], sender: str) -> str:
    """The type (= routing key) of a message class as this sender publishes it. KeyError if it never does."""
    return CATALOGUE[f"{sender}.{message.wire_name}"].type


def queue_of(listener: str, sender: str) -> str:
    """The queue in which a listener hears a sender: `orders.payments`."""
    return f"{listener}.{sender}"


def queues_of(listener: str) -> tuple[str, ...]:
    """The queues of a listener, one per sender it hears."""
    return tuple(
        queue_of(listener, sender) for sender in dict.fromkeys(entry.sender for entry in heard_by(listener))
    )
