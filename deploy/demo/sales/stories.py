"""What will happen to a sale: how the money comes, what is packed, what leaves and what arrives."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from random import Random

from contracts.fulfillment.parcels import ParcelLine
from contracts.payments.refunds import RefundMode
from contracts.sale import LineKind, PaymentMethod
from deploy.demo.sales.sale import Dispatch, OnlineStory, Receipt, Refund, Sale, Story

CARRIERS = (
    ("Colissimo", "6A{:011d}", "https://colis.example.org/suivi/{}"),
    ("Chronopost", "XY{:09d}FR", "https://chrono.example.org/suivi?code={}"),
    ("Mondial Relay", "{:08d}", "https://relais.example.org/{}"),
)
TOO_MUCH_MINOR = 1250
"""By how much a customer errs who pays too much."""
LONG_ENOUGH_FOR_TWO_PARCELS = 4
"""Units from which an order may be split into two parcels."""

REFUNDED_PARTS = (1, 2, 5)
"""What is given back on the orders that end so: the whole, a half, a fifth."""

BY_PROVIDER = (PaymentMethod.CARD, PaymentMethod.PAYPAL)
"""Methods whose payments a provider reports: Stripe or PayPal."""
_BY_HAND = (PaymentMethod.CHEQUE, PaymentMethod.TRANSFER, PaymentMethod.CASH)
_REFUNDED = (
    (RefundMode.SENT, (PaymentMethod.CARD,)),
    (RefundMode.SENT, (PaymentMethod.PAYPAL,)),
    (RefundMode.RECORDED, _BY_HAND),
)
_ONLINE = (OnlineStory.ONCE, OnlineStory.TWICE, OnlineStory.EARLY, OnlineStory.NEVER)
_ONLINE_WEIGHTS = (64, 14, 14, 8)


def with_fitting_story(chance: Random, sale: Sale) -> Sale:
    """The sale with a story that fits its payment method and its lines."""
    method = sale.submission.payment.method if sale.submission.payment else PaymentMethod.FREE
    money = Story(online=_online(chance, method), receipts=_receipts(chance, sale, method))
    if not sale.ordered(LineKind.SHIP) or not _settles(sale, money):
        return sale.with_story(money)
    parcels, dispatches = _journey(chance, sale)
    return sale.with_story(Story(money.online, money.receipts, parcels, dispatches))


def deliver_everything(chance: Random, sale: Sale) -> Sale:
    """Paid in full and delivered in one parcel: the plain good end."""
    method = sale.submission.payment.method if sale.submission.payment else PaymentMethod.FREE
    online = OnlineStory.ONCE if method in BY_PROVIDER else OnlineStory.NEVER
    by_hand = method in _BY_HAND and sale.total_minor > 0
    receipts = (Receipt(method, sale.total_minor, _reference(chance, method)),) if by_hand else ()
    parcels = (_all_goods(sale),)
    return sale.with_story(Story(online, receipts, parcels, (_dispatch(chance, (0,), is_delivered=True),)))


def with_refunds(sales: Sequence[Sale]) -> list[Sale]:
    """The sales, some of which end with a refund: sent by Stripe or PayPal, or given back by hand."""
    result = list(sales)
    for mode, methods in _REFUNDED:
        fitting = [rank for rank, sale in enumerate(result) if _is_completed(sale, methods)]
        for rank, part in zip(fitting, REFUNDED_PARTS, strict=False):
            sale = result[rank]
            refund = Refund(mode, sale.total_minor // part)
            result[rank] = sale.with_story(replace(sale.story, refund=refund))
    return result


def with_lost_webhook(sales: Sequence[Sale]) -> list[Sale]:
    """The sales, of which the last one paid by card, and not refunded, is reported by no webhook."""
    result = list(sales)
    fitting = [
        rank
        for rank, sale in enumerate(result)
        if sale.is_placed
        and sale.provider == "stripe"
        and sale.story.online is OnlineStory.ONCE
        and sale.story.refund is None
    ]
    for rank in fitting[-1:]:
        result[rank] = result[rank].with_story(replace(result[rank].story, online=OnlineStory.LOST))
    return result


def _is_completed(sale: Sale, methods: Collection[PaymentMethod]) -> bool:
    """Whether a sale is paid by one of the methods to the cent, once or by one receipt, and everything arrives."""
    story, payment = sale.story, sale.submission.payment
    arrived = sum(line.quantity for line in story.dispatched_lines(delivered_only=True))
    received = sum(receipt.amount_minor for receipt in story.receipts)
    is_paid = story.online is OnlineStory.ONCE or received == sale.total_minor > 0
    return (
        sale.is_placed
        and payment is not None
        and payment.method in methods
        and is_paid
        and 0 < arrived == sum(line.quantity for line in sale.submission.lines)
    )


def _online(chance: Random, method: PaymentMethod) -> OnlineStory:
    if method not in BY_PROVIDER:
        return OnlineStory.NEVER
    return chance.choices(_ONLINE, _ONLINE_WEIGHTS)[0]


def _receipts(chance: Random, sale: Sale, method: PaymentMethod) -> tuple[Receipt, ...]:
    """Mostly the whole sum at once; sometimes in two halves, only one half, nothing yet, or too much."""
    total = sale.total_minor
    if method not in _BY_HAND or not total:
        return ()
    half = total // 2
    amounts = chance.choices(
        ((total,), (half, total - half), (half,), (), (total + TOO_MUCH_MINOR,)), (66, 8, 8, 14, 4)
    )[0]
    return tuple(Receipt(method, amount, _reference(chance, method)) for amount in amounts if amount)


def _reference(chance: Random, method: PaymentMethod) -> str:
    prefix = {PaymentMethod.CHEQUE: "CHQ", PaymentMethod.TRANSFER: "VIR", PaymentMethod.CASH: "CAISSE"}[
        method
    ]
    return f"{prefix}-{chance.randint(0, 9_999_999):07d}"


def _settles(sale: Sale, money: Story) -> bool:
    return (
        money.online is not OnlineStory.NEVER
        or sum(r.amount_minor for r in money.receipts) >= sale.total_minor
    )


def _journey(chance: Random, sale: Sale) -> tuple[tuple[tuple[ParcelLine, ...], ...], tuple[Dispatch, ...]]:
    """Most goods arrive; some are still on their way, packed only, packed in part, or untouched."""
    how_far = chance.choices(("delivered", "shipped", "packed", "part", "untouched"), (66, 12, 8, 8, 6))[0]
    parcels = _parcels(chance, sale)
    if how_far == "untouched":
        return (), ()
    if how_far == "packed":
        return parcels, ()
    if how_far == "part" and (halves := _halves(sale))[1]:
        return halves[:1], (_dispatch(chance, (0,), is_delivered=chance.random() < 0.5),)
    arrived = how_far == "delivered"
    if len(parcels) > 1 and chance.random() < 0.5:
        return parcels, tuple(
            _dispatch(chance, (each,), is_delivered=arrived) for each in range(len(parcels))
        )
    return parcels, (_dispatch(chance, tuple(range(len(parcels))), is_delivered=arrived),)


def _all_goods(sale: Sale) -> tuple[ParcelLine, ...]:
    return tuple(
        ParcelLine(line=number, quantity=line.quantity)
        for number, line in enumerate(sale.submission.lines, start=1)
        if line.kind is LineKind.SHIP
    )


def _parcels(chance: Random, sale: Sale) -> tuple[tuple[ParcelLine, ...], ...]:
    goods = _all_goods(sale)
    if sum(each.quantity for each in goods) < LONG_ENOUGH_FOR_TWO_PARCELS or chance.random() < 0.6:
        return (goods,)
    return tuple(part for part in _halves(sale) if part)


def _halves(sale: Sale) -> tuple[tuple[ParcelLine, ...], tuple[ParcelLine, ...]]:
    """The goods in two parcels, as even as may be; of a single unit the second is empty."""
    goods = _all_goods(sale)
    return _split(goods, (sum(each.quantity for each in goods) + 1) // 2)


def _split(
    goods: tuple[ParcelLine, ...], first_units: int
) -> tuple[tuple[ParcelLine, ...], tuple[ParcelLine, ...]]:
    """The first so many units, and the rest; a line may be cut in two."""
    first: list[ParcelLine] = []
    rest: list[ParcelLine] = []
    for each in goods:
        taken = min(each.quantity, first_units)
        first_units -= taken
        if taken:
            first.append(ParcelLine(line=each.line, quantity=taken))
        if taken < each.quantity:
            rest.append(ParcelLine(line=each.line, quantity=each.quantity - taken))
    return tuple(first), tuple(rest)


def _dispatch(chance: Random, parcels: tuple[int, ...], *, is_delivered: bool) -> Dispatch:
    carrier, number, url = chance.choice(CARRIERS)
    tracking = number.format(chance.randint(1, 99_999_999))
    return Dispatch(parcels, carrier, tracking, url.format(tracking), chance.random() < 0.6, is_delivered)
