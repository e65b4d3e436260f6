"""Refunds of captures, by PayPal's rules: permanent refusals have issue codes, amounts never exceed what is left."""

from decimal import Decimal, InvalidOperation

from deploy.demo.standins.paypal.account import REFUND, REVERSAL, Account
from deploy.demo.standins.paypal.refusals import Refused
from deploy.demo.standins.paypal.shapes import Json, decimals_of, link, money, new_id, timestamp, value_of

NAMES = ("custom_id", "invoice_id", "note_to_payer")
"""What a caller may write on a refund."""
MOST_REFUNDS = 10
"""PayPal's limit of refunds per capture."""


def refund(account: Account, capture_id: str, wanted: Json, *, status: str = "COMPLETED") -> Json:
    """Refund a capture as the API does, the whole rest when `wanted` has no amount. Raises Refused."""
    capture = account.capture(capture_id)
    value = _checked_value(account, capture, wanted)
    made = _record(account, capture, value, status, wanted)
    if status == "COMPLETED":
        account.move(REFUND, -value, capture, about=capture_id, id=made["id"])
    account.emit("PAYMENT.CAPTURE.REFUNDED" if status == "COMPLETED" else "PAYMENT.REFUND.PENDING", made)
    return made


def settle_refund(account: Account, refund_id: str, status: str) -> None:
    """Complete a pending refund, or let it fail."""
    made = account.refunds[refund_id]
    capture = account.captures[capture_of(made)]
    made.update(status=status, update_time=timestamp(account.clock()))
    if status == "COMPLETED":
        account.move(REFUND, -value_of(made["amount"]), capture, about=capture["id"], id=refund_id)
    _mark(account, capture)
    account.emit("PAYMENT.CAPTURE.REFUNDED" if status == "COMPLETED" else "PAYMENT.REFUND.FAILED", made)


def reverse(account: Account, capture_id: str, value: str) -> Json:
    """Take money back from the merchant by force, whole or in part."""
    capture = account.capture(capture_id)
    made = _record(account, capture, Decimal(value), "COMPLETED", {})
    account.move(REVERSAL, -Decimal(value), capture, about=capture_id, id=made["id"])
    account.emit("PAYMENT.CAPTURE.REVERSED", made)
    return made


def capture_of(made: Json) -> str:
    """Return the capture of a refund, which only its link `up` names."""
    (up,) = (each["href"] for each in made["links"] if each["rel"] == "up")
    return str(up).rpartition("/")[2]


def left_to_refund(account: Account, capture: Json) -> Decimal:
    """Return what may still be refunded; pending refunds count as made."""
    return value_of(capture["amount"]) - sum(
        (value_of(each["amount"]) for each in _of(account, capture["id"])), Decimal(0)
    )


def _of(account: Account, capture_id: str) -> list[Json]:
    made = [each for each in account.refunds.values() if capture_of(each) == capture_id]
    return [each for each in made if each["status"] in ("COMPLETED", "PENDING")]


def _checked_value(account: Account, capture: Json, wanted: Json) -> Decimal:
    left = left_to_refund(account, capture)
    if capture["status"] == "PENDING":
        raise Refused(422, "PENDING_CAPTURE")
    if capture["status"] not in ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"):
        raise Refused(422, "REFUND_NOT_ALLOWED")
    if not left:
        raise Refused(422, "CAPTURE_FULLY_REFUNDED")
    if len(_of(account, capture["id"])) >= MOST_REFUNDS:
        raise Refused(422, "MAX_NUMBER_OF_REFUNDS_EXCEEDED")
    value = (
        left if wanted.get("amount") is None else _value(wanted["amount"], capture["amount"]["currency_code"])
    )
    if value > left:
        raise Refused(422, "REFUND_AMOUNT_EXCEEDED", "/amount/value")
    if value != value_of(capture["amount"]) and _is_disputed(account, capture["id"]):
        raise Refused(422, "TRANSACTION_DISPUTED")
    return value


def _value(amount: object, currency: str) -> Decimal:
    if not isinstance(amount, dict) or not isinstance(amount.get("value"), str):
        raise Refused(400, "MISSING_REQUIRED_PARAMETER", "/amount/value")
    try:
        value = Decimal(amount["value"])
    except InvalidOperation:
        raise Refused(400, "INVALID_PARAMETER_SYNTAX", "/amount/value") from None
    if amount.get("currency_code") != currency:
        raise Refused(422, "REFUND_CAPTURE_CURRENCY_MISMATCH", "/amount/currency_code")
    if not value.is_finite() or value <= 0:
        raise Refused(422, "CANNOT_BE_ZERO_OR_NEGATIVE", "/amount/value")
    if value != round(value, decimals_of(currency)):
        issue = "DECIMAL_PRECISION" if decimals_of(currency) else "DECIMALS_NOT_SUPPORTED"
        raise Refused(422, issue, "/amount/value")
    return value


def _is_disputed(account: Account, capture_id: str) -> bool:
    return any(
        each["disputed_transactions"][0]["seller_transaction_id"] == capture_id
        and each["status"] != "RESOLVED"
        for each in account.disputes.values()
    )


def _record(account: Account, capture: Json, value: Decimal, status: str, wanted: Json) -> Json:
    refund_id, now, currency = (
        new_id(account.chance),
        timestamp(account.clock()),
        capture["amount"]["currency_code"],
    )
    total = value_of(capture["amount"]) - left_to_refund(account, capture) + value
    given: Json = {name: wanted[name] for name in NAMES if name in wanted}
    made: Json = {
        "id": refund_id,
        "status": status,
        "amount": money(value, currency),
        **given,
        "seller_payable_breakdown": {
            "gross_amount": money(value, currency),
            "paypal_fee": money(Decimal(0), currency),
            "net_amount": money(value, currency),
            "total_refunded_amount": money(total, currency),
        },
        "create_time": now,
        "update_time": now,
        "links": [
            link(f"{account.api_url}/v2/payments/refunds/{refund_id}", "self"),
            link(f"{account.api_url}/v2/payments/captures/{capture['id']}", "up"),
        ],
    }
    account.refunds[refund_id] = made
    order = account.orders[capture["supplementary_data"]["related_ids"]["order_id"]]
    order["purchase_units"][0]["payments"].setdefault("refunds", []).append(made)
    _mark(account, capture)
    return made


def _mark(account: Account, capture: Json) -> None:
    """Show on the capture how much of it was refunded."""
    left = left_to_refund(account, capture)
    whole = left == value_of(capture["amount"])
    status = "COMPLETED" if whole else "PARTIALLY_REFUNDED" if left > 0 else "REFUNDED"
    capture.update(status=status, update_time=timestamp(account.clock()))
