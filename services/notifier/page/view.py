"""View model of the page: every text screened, every figure in the format of the reader's language. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from services.notifier.mails.compose.formatter import Formatter
from services.notifier.mails.compose.screening import screened, web_address

Words = Mapping[str, Any]
_PAID = frozenset({"paid", "overpaid", "partially_refunded", "refunded", "refund_pending", "void"})
_STAGES = ("packed", "shipped", "delivered")
DONE, PARTLY, TO_COME = "done", "partly", "to_come"


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the order's progress: its text, and whether it is done, partly done or to come."""

    text: str
    state: str


def order_view(
    document: Mapping[str, Any], formatter: Formatter, words: Words, methods: Words
) -> dict[str, Any]:
    """Return the data of the order's parts. `document` is what orders answered, as JSON."""
    order = screened(dict(document))
    language = words["language"]
    return {
        "code": order["code"],
        "placed_on": words["placed_on"].format(at=formatter.date_time(_timestamp(order["placed_at"]))),
        "label": order["label"].get(language) or order["label"].get("en") or order["state"],
        "state": order["state"],
        "sentence": words["state"].get(order["state"], ""),
        "steps": steps(order, words["steps"]),
        "lines": [_line(line, formatter, words["items"]) for line in order["lines"]],
        "sums": _sums(order, formatter, words["items"]),
        "total": formatter.amount(order["totals"]["total_minor"]) if order.get("totals") else "",
        "payment": _payment(order, formatter, words["payment"], methods),
        "shipments": [_shipment(one, order, formatter, words["shipments"]) for one in order["shipments"]],
        "needs_shipping": order["fulfilment_status"] != "not_required",
        "documents": [_document(one, formatter, words["documents"]) for one in order["documents"]],
        "cancellation": _cancellation(order["cancellation"], formatter, words["cancel"]),
    }


def steps(order: Mapping[str, Any], words: Words) -> list[Step]:
    """Return the progress of an order; none for a cancelled one."""
    if order["state"] == "cancelled":
        return []
    found = [Step(words["placed"], DONE)]
    paid = PARTLY if order["payment_status"] == "partially_paid" else TO_COME
    found.append(Step(words["paid"], DONE if order["payment_status"] in _PAID else paid))
    status = order["fulfilment_status"]
    if status != "not_required":
        found += [Step(words[stage], _reached(stage, status)) for stage in _STAGES]
    return found


def _reached(stage: str, status: str) -> str:
    """Return how far an order is beyond a stage; its fulfilment status is the highest stage any unit reached."""
    highest = status.removeprefix("partially_")
    if highest == "returned":
        return DONE
    if highest not in _STAGES or _STAGES.index(highest) < _STAGES.index(stage):
        return TO_COME
    is_partly = status.startswith("partially_") and highest in (stage, "shipped")
    return PARTLY if is_partly else DONE


def _line(line: Mapping[str, Any], formatter: Formatter, words: Words) -> dict[str, Any]:
    exact = line.get("unit_price_exact")
    price = formatter.price(exact) if exact else formatter.amount(line["unit_price_minor"])
    details = [words["unit"].format(price=price)] if line["quantity"] > 1 else []
    details += [f"{value}" for value in (line.get("options") or {}).values()]
    if line.get("starts_at"):
        details.append(formatter.date_time(_timestamp(line["starts_at"])))
    if line["cancelled"]:
        details.append(words["cancelled"].format(count=line["cancelled"]))
    return {
        "description": line["description"],
        "quantity": line["quantity"],
        "details": " · ".join(details),
        "total": formatter.amount(line["total_minor"]),
        "is_cancelled": line["cancelled"] >= line["quantity"],
    }


def _sums(order: Mapping[str, Any], formatter: Formatter, words: Words) -> list[tuple[str, str]]:
    extra = [(one["label"] or "", formatter.amount(one["amount_minor"])) for one in order["extra_lines"]]
    shipping = order.get("shipping")
    if shipping:
        extra.insert(0, (shipping["label"] or words["shipping"], formatter.amount(shipping["amount_minor"])))
    return extra


def _payment(order: Mapping[str, Any], formatter: Formatter, words: Words, methods: Words) -> dict[str, Any]:
    money = order["money"]
    rows = [(words["total"], money["due_minor"]), (words["received"], money["received_minor"])]
    if money["refunded_minor"]:
        rows.append((words["given_back"], money["refunded_minor"]))
    balance = money["balance_minor"]
    if (balance and order["state"] != "cancelled") or balance < 0:
        rows.append((words["left"] if balance > 0 else words["owed"], abs(balance)))
    return {
        "status": words.get(order["payment_status"], ""),
        "rows": [(label, formatter.amount(minor)) for label, minor in rows],
        "method": methods.get(order["payment_method"] or "", ""),
        "entries": [
            {
                "day": formatter.day(date.fromisoformat(entry["on"])),
                "text": words["in"] if entry["amount_minor"] >= 0 else words["out"],
                "method": methods.get(entry["method"] or "", ""),
                "amount": formatter.amount(entry["amount_minor"]),
            }
            for entry in order["payments"]
        ],
    }


def _shipment(
    shipment: Mapping[str, Any], order: Mapping[str, Any], formatter: Formatter, words: Words
) -> dict[str, Any]:
    names = {line["line"]: line["description"] for line in order["lines"]}
    dates = [words["shipped_on"].format(day=formatter.day(date.fromisoformat(shipment["shipped_on"])))]
    if shipment["delivered_at"]:
        dates = [words["delivered_on"].format(day=formatter.day(_timestamp(shipment["delivered_at"]).date()))]
    elif shipment["expected_on"]:
        dates.append(
            words["expected_on"].format(day=formatter.day(date.fromisoformat(shipment["expected_on"])))
        )
    return {
        "carrier": shipment["carrier"],
        "number": shipment["tracking_number"],
        "url": web_address(shipment["tracking_url"]),
        "detail": ", ".join(dates),
        "lines": [(one["quantity"], names.get(one["line"], f"#{one['line']}")) for one in shipment["lines"]],
    }


def _document(one: Mapping[str, Any], formatter: Formatter, words: Words) -> dict[str, Any]:
    day = formatter.day(date.fromisoformat(one["issued_on"]))
    return {
        "id": one["invoice_id"],
        "text": words[one["kind"]].format(number=one["number"]),
        "detail": words["of"].format(day=day, amount=formatter.amount(one["total_minor"])),
    }


def _cancellation(one: Mapping[str, Any], formatter: Formatter, words: Words) -> dict[str, Any]:
    back = one["paid_back_minor"]
    return {
        "is_allowed": one["allowed"],
        "rule": words[one["refused"]] if one["refused"] else words["rule"],
        "open": words["open"].format(at=formatter.date_time(_timestamp(one["requested_at"])))
        if one["requested_at"]
        else "",
        "declined": one["declined"] or "",
        "too_late": words["too_late"] if one["was_too_late"] else "",
        "paid_back": words["back_some"].format(amount=formatter.amount(back)) if back else words["back_none"],
        "is_packed": one["refused"] in ("packed", "completed"),
    }


def _timestamp(text: str) -> datetime:
    return datetime.fromisoformat(text)
