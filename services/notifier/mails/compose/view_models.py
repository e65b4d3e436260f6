"""View model of an order in its mails: every text screened, every figure in the format of the reader's
language.

Pure: takes OrderPlaced as JSON and returns only what the templates need. It computes no sums: the recap
serves as the invoice, so its amounts are exactly those the order was placed with.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from services.notifier.mails.compose.formatter import Formatter
from services.notifier.mails.compose.screening import one_line, paragraphs, screened, web_address
from services.notifier.mails.settings import ShopProfile

Words = Mapping[str, Any]
Rows = list[tuple[str, str]]


def order_model(
    placed: dict[str, Any], formatter: Formatter, words: Words, shop: ShopProfile
) -> dict[str, Any]:
    """Return the data of an order for the recap and the merchant's mail. `placed` is OrderPlaced as JSON."""
    note = paragraphs(placed.get("note") or "")
    order = screened(placed)
    total = formatter.amount(order["totals"]["total_minor"])
    payee = shop.cheque_payable_to or shop.name
    values = {"total": total, "code": order["code"], "payee": payee, "of_payee": of_name(payee)}
    method = order["payment"]["method"]
    return {
        "code": order["code"],
        "placed_at": formatter.date_time(datetime.fromisoformat(order["placed_at"])),
        "customer": order["customer"]["name"],
        "lines": [_line(line, formatter, words["order"]) for line in order["lines"]],
        "sums": _sums(order, formatter, words["order"]),
        "total": total,
        "tax_included": _tax_included(order, formatter, words["order"]),
        "method": words["method"][method],
        "next_step": words["next"][method].format(**values),
        "to_do": words["todo"][method].format(**values),
        "payment_facts": _payment_facts(method, values, words["pay"], shop),
        "provider_facts": present(
            (words["order"]["provider_reference"], order["payment"].get("provider_reference"))
        ),
        "merchant_facts": _merchant_facts(order, formatter, words),
        "addresses": addresses(order, formatter, words["order"]),
        "note": note,
        "url": f"{shop.backoffice_url}/orders/{order['code']}" if shop.backoffice_url else None,
    }


def shipment_model(
    placed: dict[str, Any], shipment: dict[str, Any], formatter: Formatter, words: Words
) -> dict[str, Any]:
    """Return the data of the dispatch mail. `shipment` is the part of ShipmentDispatched that `announcing`
    stored, as JSON.
    """
    order, shipment = screened(placed), screened(shipment)
    names = {line["line"]: line["description"] for line in order["lines"]}
    labels = words["shipment"]
    return {
        "facts": present(
            (labels["carrier"], shipment.get("carrier")),
            (labels["tracking_number"], shipment.get("tracking_number")),
            (labels["shipped_on"], _day(shipment.get("shipped_on"), formatter)),
            (labels["expected_on"], _day(shipment.get("expected_on"), formatter)),
        ),
        "tracking_url": web_address(shipment.get("tracking_url")),
        "lines": [
            (line["quantity"], names.get(line["line"], f"#{line['line']}")) for line in shipment["lines"]
        ],
        "addresses": addresses(
            {"shipping_address": order.get("shipping_address")}, formatter, words["order"]
        ),
    }


def status_model(update: dict[str, Any], language: str) -> dict[str, Any]:
    """Return the data of the mail about a status. `update` is the part of StatusUpdated that `announcing`
    stored, as JSON.
    """
    texts = update["label_texts"]
    label = texts.get(language) or texts.get("en") or texts.get("fr") or update["state"]
    return {"label": one_line(label), "comment": paragraphs(update.get("public_comment") or "")}


def message_model(message: dict[str, Any], words: Words) -> dict[str, Any]:
    """Return the data of the mail that carries a message of the conversation: its author and its lines."""
    is_flood = message.get("is_flood", False)
    return {
        "author": one_line(message["author"]),
        "text": paragraphs(message["text"]) or ([] if is_flood else [words["message"]["no_text"]]),
        "is_flood": is_flood,
    }


def cancellation_model(order: dict[str, Any], cancellation: dict[str, Any]) -> dict[str, Any]:
    """Return the data of the mail about a cancellation: the merchant's text, if any, and the articles, if the
    rest of the order had left.
    """
    return {
        "comment": paragraphs(cancellation.get("public_comment") or ""),
        "lines": _named_units(order, cancellation.get("cancelled_lines") or ()),
    }


def damage_model(context: dict[str, Any], words: Words, shop: ShopProfile) -> dict[str, Any]:
    """Return the data of the merchant's mail about a text of theirs that could not be used."""
    path = f"/settings/mails/{context['wording']}/{context['locale']}"
    return {
        "mail": words["name"][context["wording"]],
        "part": words["part"][context["part"]],
        "url": f"{shop.backoffice_url}{path}" if shop.backoffice_url else None,
    }


MADE = "confirmed"
"""State of a refund whose money has gone back. A mail of an earlier version has no state: not yet."""


def refund_model(
    placed: dict[str, Any], refund: dict[str, Any], formatter: Formatter, words: Words
) -> dict[str, Any]:
    """Return the data of the mail about a refund. `refund` is the part of the contract's Refund that
    `announcing` stored, as JSON.
    """
    names = {str(line["line"]): line["description"] for line in placed.get("lines", ())}
    names |= refund.get("names", {})
    way, is_made = "sent" if refund["mode"] == "sent" else "recorded", refund.get("state") == MADE
    return {
        "amount": formatter.amount(refund["amount_minor"]),
        "is_made": is_made,
        "way": words["refund"][f"{way}_made" if is_made else way],
        "lines": [
            (line["quantity"], one_line(names.get(str(line["line"]), f"#{line['line']}")))
            for line in refund.get("lines", ())
        ],
        "comment": paragraphs(refund.get("public_comment") or ""),
    }


def _named_units(order: dict[str, Any], lines: Sequence[dict[str, Any]]) -> list[tuple[int, str]]:
    names = {line["line"]: line["description"] for line in order.get("lines", ())}
    return [(line["quantity"], one_line(names.get(line["line"], f"#{line['line']}"))) for line in lines]


def addresses(order: dict[str, Any], formatter: Formatter, labels: Words) -> list[tuple[str, list[str]]]:
    """Return the order's addresses with their headings; two equal ones are shown once."""
    delivery, billing = order.get("shipping_address"), order.get("billing_address")
    shown = [(labels["delivery"], delivery), (labels["billing"], billing)]
    if delivery == billing:
        shown = [(labels["delivery_and_billing"], delivery)]
    return [(label, _address(address, formatter)) for label, address in shown if address]


def _line(line: dict[str, Any], formatter: Formatter, labels: Words) -> dict[str, Any]:
    exact = line.get("unit_price_exact")
    price = formatter.price(exact) if exact else formatter.amount(line["unit_price_minor"])
    details = [labels["unit"].format(price=price)]
    if line.get("discount_minor"):
        details.append(labels["discount"].format(amount=formatter.amount(line["discount_minor"])))
    details.append(_vat(line, formatter, labels))
    if line.get("starts_at") or line.get("resource"):
        details.extend(_booking(line, formatter, labels))
    if line.get("options"):
        details.extend(f"{one_line(name)} {value}" for name, value in sorted(line["options"].items()))
    if line.get("sku"):
        details.append(labels["sku"].format(sku=line["sku"]))
    return {
        "description": line["description"],
        "details": " · ".join(details),
        "quantity": line["quantity"],
        "total": formatter.amount(line["total_minor"]),
    }


def _booking(line: dict[str, Any], formatter: Formatter, labels: Words) -> list[str]:
    found = [labels["resource"].format(resource=line["resource"])] if line.get("resource") else []
    if line.get("starts_at"):
        start = formatter.date_time(datetime.fromisoformat(line["starts_at"]))
        if not line.get("ends_at"):
            return [*found, labels["from"].format(start=start)]
        end = formatter.date_time(datetime.fromisoformat(line["ends_at"]))
        found.append(labels["from_to"].format(start=start, end=end))
    return found


def _sums(order: dict[str, Any], formatter: Formatter, labels: Words) -> Rows:
    totals, shipping = order["totals"], order.get("shipping")
    rows = [(labels["subtotal"], formatter.amount(totals["lines_minor"]))]
    if shipping:
        label = f"{labels['shipping']} ({shipping['label']}) · {_vat(shipping, formatter, labels)}"
        rows.append((label, formatter.amount(shipping["amount_minor"])))
    rows.extend(_extras(order, formatter, labels))
    if not order.get("prices_include_tax", True):
        rows.extend(_taxes_added(order, formatter, labels))
    return rows


def _taxes_added(order: dict[str, Any], formatter: Formatter, labels: Words) -> Rows:
    """Return the tax on top of the prices: a row for each tax that the sender stated, if they add up to all of it."""
    tax_minor = order["totals"].get("tax_minor") or 0
    found: dict[str, int] = {}
    for charged in (*order["lines"], order.get("shipping") or {}, *(order.get("extra_lines") or ())):
        for tax in charged.get("taxes") or ():
            label = f"{tax.get('label') or labels['tax_added']} {formatter.rate(tax['rate_ppm'])}"
            found[label] = found.get(label, 0) + tax["tax_minor"]
    if not found or sum(found.values()) != tax_minor:
        return [(labels["tax_added"], formatter.amount(tax_minor))]
    return [(label, formatter.amount(minor)) for label, minor in found.items()]


def _extras(order: dict[str, Any], formatter: Formatter, labels: Words) -> Rows:
    return [
        (f"{extra['label']} · {_vat(extra, formatter, labels)}", formatter.amount(extra["amount_minor"]))
        for extra in order.get("extra_lines") or ()
    ]


def _vat(charged: dict[str, Any], formatter: Formatter, labels: Words) -> str:
    """Return the taxes of a line or charge: their rates, or the amount of a tax whose rate the sender did not
    state.
    """
    vat, rate, tax_minor = str(labels["vat"]), charged.get("vat_rate") or 0, charged.get("tax_minor")
    if taxes := charged.get("taxes"):
        rates = ((tax.get("label"), formatter.rate(tax["rate_ppm"])) for tax in taxes)
        return " + ".join(f"{label} {shown}" if label else vat.format(rate=shown) for label, shown in rates)
    if tax_minor and not rate:
        return vat.format(rate=formatter.amount(tax_minor))
    return vat.format(rate=formatter.rate(rate * 100))


def _tax_included(order: dict[str, Any], formatter: Formatter, labels: Words) -> str | None:
    if not order.get("prices_include_tax", True):
        return None
    return str(labels["tax_included"]).format(amount=formatter.amount(order["totals"].get("tax_minor") or 0))


def _payment_facts(method: str, values: dict[str, str], labels: Words, shop: ShopProfile) -> Rows:
    if method == "cheque":
        address = ", ".join(paragraphs(shop.postal_address or ""))
        return present((labels["address"], address)) or _ask(labels, shop)
    if method != "transfer":
        return []
    account = present((labels["iban"], shop.iban), (labels["bic"], shop.bic))
    return [
        (labels["reference"], values["code"]),
        (labels["amount"], values["total"]),
        *([(labels["account_holder"], values["payee"]), *account] if account else _ask(labels, shop)),
    ]


def _ask(labels: Words, shop: ShopProfile) -> Rows:
    email = shop.support_email or shop.reply_to or shop.from_email
    return [(labels["contact"], labels["ask"].format(email=email))]


def _merchant_facts(order: dict[str, Any], formatter: Formatter, words: Words) -> Rows:
    customer, labels = order["customer"], words["order"]
    return present(
        (labels["placed_at"], formatter.date_time(datetime.fromisoformat(order["placed_at"]))),
        (labels["module"], words["module"][order["module"]]),
        (labels["source_reference"], order.get("source_reference")),
        (labels["customer"], customer["name"]),
        (labels["company"], customer.get("company")),
        (labels["email"], customer.get("email")),
        (labels["phone"], customer.get("phone")),
        (labels["language"], formatter.language(order["locale"])),
    )


def _address(address: dict[str, Any], formatter: Formatter) -> list[str]:
    town = " ".join(filter(None, (address.get("postal_code"), address.get("city"))))
    rows = (
        address["name"],
        address.get("street"),
        address.get("street_2"),
        town,
        address.get("region"),
        formatter.country(address["country"]),
        address.get("phone"),
    )
    return [row for row in rows if row]


def _day(text: str | None, formatter: Formatter) -> str | None:
    return formatter.day(date.fromisoformat(text)) if text else None


def present(*rows: tuple[str, str | None]) -> Rows:
    return [(label, one_line(value)) for label, value in rows if value]


def of_name(name: str) -> str:
    """Return a name after «de» in French, elided before a vowel: «d’Atelier Garance», «de Maison»."""
    first = unicodedata.normalize("NFD", name.strip().lower())[:1]
    return f"d’{name}" if first and first in "aeiouyœæ" else f"de {name}"
