"""Removal of personal data from a document: a JSON body, or a row as a mapping of its columns. Pure.

The same rule serves every table and every body, so that a copy is erased as its original is. A redacted
message can still be read by its class: compulsory texts become `ERASED`, optional ones are removed.
Invariant: redacting a redacted document changes nothing. Amounts, dates, ids, states and country codes stay.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from services.chassis.addresses import comparable

ERASED = "—"
"""Replacement of a text that must not be empty."""
ERASED_ADDRESS = "erased@erased.invalid"
"""Replacement of a mail address that must be one."""
PERSONS = frozenset(
    {
        "customer",
        "buyer",
        "billing_address",
        "shipping_address",
        "payer",
        "billing_details",
        "customer_details",
    }
)
"""Keys of objects about the person; of these only the country stays."""
REMOVED = frozenset(
    {
        "email",
        "phone",
        "customer_email",
        "customer_phone",
        "ip_address",
        "browser",
        "tracking_url",
        "proof_reference",
        "postal_code",
        "resume_url",
    }
)
"""Keys of texts that are removed: they are optional in every message."""
TEXTS = frozenset(
    {
        "public_comment",
        "admin_comment",
        "text",
        "excerpt",
        "author",
        "author_name",
        "customer_name",
        "last_author",
        "subject",
    }
)
"""Keys of texts about or by the person, which are replaced."""
ADDRESSES = frozenset({"address", "sender", "envelope_from", "refused_address"})
"""Keys of mail addresses, which are replaced; other texts under these keys stay."""
IDENTIFYING = frozenset(
    {
        "name",
        "email",
        "phone",
        "street",
        "street_2",
        "ip_address",
        "browser",
        "company",
        "vat_number",
        "company_id",
    }
)
"""Keys of texts in such an object that identify the person."""
_ROW_IDENTIFYING = frozenset({"customer_name", "customer_email", "customer_phone"})
_KEPT = frozenset({"shop", "code", "actor", "type", "source"})
_SHORTEST = 4
_SHORTEST_PART = 3
_CODE = re.compile(r"[A-Za-z0-9_.:-]+")
_BEFORE, _AFTER = r"(?<![\w.!#$%&'*+/=?^`{|}~-])", r"(?![\w-]|\.\w)"
"""What may not stand beside an address, since it would be part of another one."""
_ADDRESS = re.compile(r"[^\s<>\"',;:()]+@[^\s<>\"',;:()]+\.[^\s<>\"',;:()]+")


class Person:
    """The texts that identify a person, as found in documents about them."""

    def __init__(self, texts: Collection[str] = ()) -> None:
        found = {text.strip() for text in texts if len(text.strip()) >= _SHORTEST}
        self.texts = frozenset({*found, *(comparable(text) for text in found if "@" in text)})
        parts = {part for text in self.texts for part in re.split(r"\W+", text) if "@" not in text}
        self._whole = _any_of(self.texts)
        self._addresses = _any_of(self.addresses, before=_BEFORE, after=_AFTER)
        self._parts = _any_of({part for part in parts if len(part) >= _SHORTEST_PART and part.isalpha()})

    @property
    def addresses(self) -> list[str]:
        """Return the person's mail addresses."""
        return sorted(text for text in self.texts if "@" in text)

    def is_addressed_in(self, text: str) -> bool:
        """Return whether the text has one of the person's mail addresses, and not only the end of another one."""
        return self._addresses is not None and self._addresses.search(text) is not None

    def without(self, text: str) -> str:
        """Return the text without the person's texts."""
        return self._whole.sub(ERASED, text) if self._whole else text

    def is_in(self, text: str) -> bool:
        """Return whether the text has one of the person's texts, or a word of one."""
        return any(pattern is not None and pattern.search(text) for pattern in (self._whole, self._parts))


def _any_of(
    texts: Collection[str], *, before: str = r"(?<!\w)", after: str = r"(?!\w)"
) -> re.Pattern[str] | None:
    if not texts:
        return None
    longest_first = sorted(texts, key=lambda text: (-len(text), text))
    return re.compile(rf"{before}(?:{'|'.join(map(re.escape, longest_first))}){after}", re.IGNORECASE)


def without_addresses(text: str, instead: str = ERASED) -> str:
    """Return the text with each mail address in it replaced."""
    return _ADDRESS.sub(instead, text)


def is_code(text: str) -> bool:
    """Return whether the text of a reason is a code of ours, and not what a person wrote."""
    return _CODE.fullmatch(text) is not None


def texts_in(document: Any) -> Iterator[str]:
    """Yield the texts of a document or row that identify the person it is about."""
    if isinstance(document, Mapping):
        for key, value in document.items():
            if key in PERSONS:
                yield from _identifying(value)
            elif key in _ROW_IDENTIFYING and isinstance(value, str) and value != ERASED:
                yield value
            else:
                yield from texts_in(value)
    elif isinstance(document, list):
        for one in document:
            yield from texts_in(one)


def _identifying(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            if isinstance(one, Mapping):
                yield from _identifying(one)
            elif key in IDENTIFYING and isinstance(one, str) and one != ERASED:
                yield one


def redact(document: Any, person: Person, orders: Collection[str] | None = None) -> Any:
    """Return the document without the person's data.

    With `orders` (ids as text), parts about another order are left unchanged: a message may report many.
    """
    if isinstance(document, Mapping):
        if orders is not None and document.get("order_id") not in (None, *orders):
            return document
        return {
            key: redacted
            for key, value in document.items()
            if (redacted := _value(key, value, document, person, orders)) is not None or value is None
        }
    if isinstance(document, list):
        return [redact(one, person, orders) for one in document]
    return person.without(document) if isinstance(document, str) else document


def _value(
    key: str, value: Any, around: Mapping[str, Any], person: Person, orders: Collection[str] | None
) -> Any:
    """Return what stays under a key; None if nothing does."""
    if key in _KEPT or key.endswith("_by"):
        return value
    if key in PERSONS:
        return _blank(value)
    if key in REMOVED:
        return None
    if key in ADDRESSES and isinstance(value, str) and "@" in value:
        return ERASED_ADDRESS
    if key == "recipient" and isinstance(value, str):
        return ""
    if isinstance(value, str) and (key in TEXTS or (key == "note" and "customer" in around)):
        return value and ERASED
    if (key == "reason" or key.endswith("_reason")) and isinstance(value, str):
        return value if not value or is_code(value) else ERASED
    if key == "options" and isinstance(value, Mapping):
        return {
            name: ERASED if isinstance(one, str) and person.is_in(one) else one for name, one in value.items()
        }
    if key == "detail" and isinstance(value, str):
        return without_addresses(person.without(value))
    return redact(value, person, orders)


def _blank(value: Any) -> Any:
    """Return a person or an address of whom only the country is left."""
    if isinstance(value, Mapping):
        blank = {key: _blank(one) for key, one in value.items() if isinstance(one, Mapping)}
        blank |= {key: ERASED for key in value if key == "name"}
        return blank | {key: value[key] for key in value if key == "country"}
    return ERASED if isinstance(value, str) and value else None if isinstance(value, list) else value
