"""Disputes: a case that a buyer opens, its stages, the money that it holds back, and its outcome."""

from datetime import datetime, timedelta
from decimal import Decimal

from deploy.demo.standins.paypal.account import DISPUTE_FEE, HOLD, RELEASE, Account
from deploy.demo.standins.paypal.refunds import reverse
from deploy.demo.standins.paypal.shapes import Json, link, money, new_dispute_id, timestamp, value_of

DAYS_TO_ANSWER = 10
FEE = Decimal("16.00")
STATES = {
    "OPEN": "OPEN_INQUIRIES",
    "WAITING_FOR_SELLER_RESPONSE": "REQUIRED_ACTION",
    "WAITING_FOR_BUYER_RESPONSE": "REQUIRED_OTHER_PARTY_ACTION",
    "UNDER_REVIEW": "UNDER_PAYPAL_REVIEW",
    "RESOLVED": "RESOLVED",
}
"""The state in lists, by status."""
_NOT_IN_LISTS = ("disputed_transactions", "money_movements", "dispute_outcome", "messages", "links")


def open_dispute(
    account: Account,
    capture_id: str,
    value: str | None = None,
    reason: str = "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
    stage: str = "INQUIRY",
) -> Json:
    """Let a buyer dispute a capture, whole or in part. A chargeback takes its money at once, an inquiry none."""
    capture, now = account.captures[capture_id], account.clock()
    amount = money(Decimal(value), capture["amount"]["currency_code"]) if value else capture["amount"]
    dispute_id = new_dispute_id(account.chance)
    dispute: Json = {
        "dispute_id": dispute_id,
        "create_time": _to_the_millisecond(now),
        "update_time": _to_the_millisecond(now),
        "disputed_transactions": [_transaction(account, capture)],
        "reason": reason,
        "status": "OPEN" if stage == "INQUIRY" else "WAITING_FOR_SELLER_RESPONSE",
        "dispute_amount": amount,
        "dispute_life_cycle_stage": stage,
        "dispute_channel": "INTERNAL" if stage == "INQUIRY" else "EXTERNAL",
        "seller_response_due_date": _to_the_millisecond(now + timedelta(days=DAYS_TO_ANSWER)),
        "links": [link(f"{account.api_url}/v1/customer/disputes/{dispute_id}", "self")],
    }
    account.disputes[dispute_id] = dispute
    if stage != "INQUIRY":
        _hold(account, dispute)
    account.emit("CUSTOMER.DISPUTE.CREATED", dispute)
    return dispute


def escalate(account: Account, dispute_id: str) -> None:
    """Turn an inquiry into a claim: its money is held and the merchant must answer."""
    dispute = account.disputes[dispute_id]
    dispute.update(dispute_life_cycle_stage="CHARGEBACK", status="WAITING_FOR_SELLER_RESPONSE")
    _hold(account, dispute)
    _updated(account, dispute)


def review(account: Account, dispute_id: str) -> None:
    """Let PayPal review a case that the merchant answered."""
    dispute = account.disputes[dispute_id]
    dispute["status"] = "UNDER_REVIEW"
    _updated(account, dispute)


def resolve(account: Account, dispute_id: str, outcome: str) -> None:
    """End a case: `RESOLVED_SELLER_FAVOUR` gives held money back, `RESOLVED_BUYER_FAVOUR` and `ACCEPTED` take it
    for good.
    """
    dispute = account.disputes[dispute_id]
    amount = dispute["dispute_amount"]
    is_lost = outcome in ("RESOLVED_BUYER_FAVOUR", "ACCEPTED")
    if is_lost:
        _settle_for_the_buyer(account, dispute)
    elif _is_held(dispute):
        _moved(account, dispute, RELEASE, value_of(amount), "DISPUTE_SETTLEMENT")
    dispute.update(
        status="RESOLVED",
        dispute_outcome={
            "outcome_code": outcome,
            "amount_refunded": amount if is_lost else money(Decimal(0), amount["currency_code"]),
        },
    )
    dispute.pop("seller_response_due_date", None)
    _updated(account, dispute, "CUSTOMER.DISPUTE.RESOLVED")


def listed(dispute: Json) -> Json:
    """Return a dispute as lists show it."""
    shown = {name: value for name, value in dispute.items() if name not in _NOT_IN_LISTS}
    return {**shown, "dispute_state": STATES[dispute["status"]], "links": dispute["links"]}


def _settle_for_the_buyer(account: Account, dispute: Json) -> None:
    """Turn a hold into a reversal of the capture, or take the money of a case that held none; take the fee."""
    capture, value = _capture_of(account, dispute), value_of(dispute["dispute_amount"])
    if _is_held(dispute):
        account.move(RELEASE, value, capture, about=capture["id"])
        reverse(account, capture["id"], dispute["dispute_amount"]["value"])
    else:
        made = reverse(account, capture["id"], dispute["dispute_amount"]["value"])
        dispute["money_movements"] = [
            {
                "affected_party": "SELLER",
                "amount": made["amount"],
                "initiated_time": made["create_time"],
                "type": "DEBIT",
                "reason": "DISPUTE_SETTLEMENT",
            }
        ]
    _moved(account, dispute, DISPUTE_FEE, -FEE, "DISPUTE_FEE")


def _transaction(account: Account, capture: Json) -> Json:
    names = {"custom": capture.get("custom_id"), "invoice_number": capture.get("invoice_id")}
    return {
        "seller_transaction_id": capture["id"],
        "create_time": capture["create_time"],
        "transaction_status": capture["status"],
        "gross_amount": capture["amount"],
        **{name: value for name, value in names.items() if value},
        "seller": {"merchant_id": account.merchant_id, "name": "Merchant"},
    }


def _hold(account: Account, dispute: Json) -> None:
    """Keep the disputed amount back until the case ends."""
    _moved(account, dispute, HOLD, -value_of(dispute["dispute_amount"]), "DISPUTE_SETTLEMENT")


def _is_held(dispute: Json) -> bool:
    return bool(dispute.get("money_movements"))


def _moved(account: Account, dispute: Json, code: str, value: Decimal, reason: str) -> None:
    """Move money of a dispute and show it on the case."""
    capture = _capture_of(account, dispute)
    account.move(code, value, capture, about=capture["id"])
    dispute.setdefault("money_movements", []).append(
        {
            "affected_party": "SELLER",
            "amount": money(abs(value), capture["amount"]["currency_code"]),
            "initiated_time": timestamp(account.clock()),
            "type": "DEBIT" if value < 0 else "CREDIT",
            "reason": reason,
        }
    )


def _capture_of(account: Account, dispute: Json) -> Json:
    return account.captures[dispute["disputed_transactions"][0]["seller_transaction_id"]]


def _updated(account: Account, dispute: Json, event: str = "CUSTOMER.DISPUTE.UPDATED") -> None:
    dispute["update_time"] = _to_the_millisecond(account.clock())
    account.emit(event, dispute)


def _to_the_millisecond(timestamp: datetime) -> str:
    return timestamp.strftime("%Y-%m-%dT%H:%M:%S.") + f"{timestamp.microsecond // 1000:03d}Z"
