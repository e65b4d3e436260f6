"""Texts for the changes of an edit: the label of each changed field, its value before and after. Pure."""

from collections.abc import Iterator

from services.orders.backoffice.forms.fields import FieldChanged, Form
from services.orders.backoffice.language.countries import country_code
from services.orders.backoffice.language.formatting import country
from services.orders.backoffice.language.translating import N_, gettext
from services.orders.backoffice.order.changes.editing import (
    ADDRESS,
    CUSTOMER,
    extra_rows,
    fields_of,
    new_rows,
)
from services.orders.listing.documents import OrderResponse

NAMES = {
    "name": N_("Name"),
    "street": N_("Street and number"),
    "street_2": N_("Additional address line"),
    "postal_code": N_("Postal code"),
    "city": N_("Town"),
    "region": N_("Region"),
    "country": N_("Country"),
    "phone": N_("Phone"),
    "email": N_("Mail address"),
    "company": N_("Company"),
    "vat_number": N_("VAT number"),
}
"""Labels of the fields of an address and of the customer."""


def labels_of(order: OrderResponse, form: Form) -> dict[str, str]:
    """Return the label of every field of the form, in the user's language."""
    found = {"note": gettext("Note"), "reason": gettext("Reason")}
    for line in order.lines:
        found[f"quantity-{line.line}"] = f"{line.description} · {gettext('Quantity')}"
        found[f"price-{line.line}"] = f"{line.description} · {gettext('Unit price')}"
        found[f"discount-{line.line}"] = f"{line.description} · {gettext('Discount')}"
    delivery = gettext("Delivery")
    for name, text in (
        ("label", gettext("Label")),
        ("carrier", gettext("Carrier")),
        ("amount", gettext("Amount")),
    ):
        found[f"shipping-{name}"] = f"{delivery} · {text}"
    found["shipping-vat"] = f"{delivery} · {gettext('VAT')}"
    for row in range(extra_rows(form)):
        extra = form[f"extra-label-{row}"] or gettext("Other line")
        found[f"extra-label-{row}"] = f"{gettext('Other line')} · {gettext('Label')}"
        found[f"extra-amount-{row}"] = f"{extra} · {gettext('Amount')}"
        found[f"extra-vat-{row}"] = f"{extra} · {gettext('VAT')}"
    for name in ADDRESS:
        found[f"delivery-{name}"] = f"{gettext('Delivery address')} · {gettext(NAMES[name])}"
        found[f"billing-{name}"] = f"{gettext('Billing address')} · {gettext(NAMES[name])}"
    return found | {
        f"customer-{name}": f"{gettext('Customer')} · {gettext(NAMES[name])}" for name in CUSTOMER
    }


def differs(before: str, after: str) -> bool:
    """Return whether two texts of a field differ; no amount and an amount of zero are equal."""
    was, is_now = before.strip(), after.strip()
    return was != is_now and not (_is_nothing(was) and _is_nothing(is_now))


def shown_value(name: str, value: str) -> str:
    """Return a field's text in readable form: a country by its name, however it was typed."""
    return country(country_code(value)) if name.endswith("-country") else value.strip()


def changed_fields(order: OrderResponse, form: Form) -> list[FieldChanged]:
    """Return all fields whose value in the form differs from the order."""
    return [*_lines_gone(order, form), *_rest(order, form), *_lines_new(form)]


def _lines_gone(order: OrderResponse, form: Form) -> Iterator[FieldChanged]:
    for line in order.lines:
        if _is_gone(form, line.line):
            yield FieldChanged(gettext("Removed: %(name)s", name=line.description), "", "")


def _rest(order: OrderResponse, form: Form) -> Iterator[FieldChanged]:
    labels, before = labels_of(order, form), dict(fields_of(order))
    gone = {str(line.line) for line in order.lines if _is_gone(form, line.line)}
    for name, label in labels.items():
        is_line = name.startswith(("quantity-", "price-", "discount-"))
        if name not in form or name == "reason" or (is_line and name.partition("-")[2] in gone):
            continue
        was, is_now = shown_value(name, before.get(name, "")), shown_value(name, form[name])
        if differs(was, is_now):
            yield FieldChanged(label, was, is_now)


def _lines_new(form: Form) -> Iterator[FieldChanged]:
    for row in range(new_rows(form)):
        description = form[f"new-description-{row}"].strip()
        if description:
            quantity, price = form[f"new-quantity-{row}"], form[f"new-price-{row}"]
            text = gettext("New line: %(quantity)s × %(name)s", quantity=quantity, name=description)
            yield FieldChanged(text, "", price)


def _is_gone(form: Form, line: int) -> bool:
    return form.ticked(f"remove-{line}") or form[f"quantity-{line}"].strip() == "0"


def _is_nothing(text: str) -> bool:
    return not text.strip("0,. ")
