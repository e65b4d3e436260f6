"""Adaptation of a sale that its schema rejects: it is read again without inessential data. Pure.

Invariant: fields that identify or pay the sale are never changed. Display texts that are too long are cut and
marked, a blank or unusable optional value is dropped, data kept only for diagnosis is dropped, and a country
that does not exist is kept as received. Each change is a note shown on the order; rejecting a sale because of
a browser's name would lose a customer.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic_core import from_json

from contracts.message import Reason
from contracts.orders.lifecycle import RESUME_URL
from services.chassis.identifiers.countries import KNOWN, RENAMED

MARK = "…"
_NAME, _PHONE, _STREET, _PLACE, _LABEL = 200, 40, 300, 200, 200
_ADDRESS = {
    "name": _NAME,
    "street": _STREET,
    "street_2": _STREET,
    "postal_code": 20,
    "city": _PLACE,
    "region": _PLACE,
    "phone": _PHONE,
}
_SHOWN: dict[str, dict[str, int]] = {
    "": {"note": 2000},
    "customer": {"name": _NAME, "phone": _PHONE, "company": _NAME, "vat_number": 40, "company_id": 40},
    "billing_address": _ADDRESS,
    "shipping_address": _ADDRESS,
    "lines": {"description": 500},
    "shipping": {"label": _LABEL, "carrier": 100},
    "extra_lines": {"label": _LABEL},
}
"""Maximum length of display texts, by the part of the sale."""
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_INVISIBLE = "\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\ufff9-\ufffb"
_CONTROLS = re.compile(f"[\x00-\x09\x0b-\x1f\x7f-\x9f{_INVISIBLE}]")
_ODD_LINK = rb""""resume_url"\s*:\s*"(?!https://[^/?#@"'<>\\\s]+(?:[/?#][^"'<>\\\s]*)?")"""
_TO_LOOK_AT = tuple(
    (lead, re.compile(pattern))
    for lead, pattern in (
        (b"\\", rb"\\u00(?:[0189aA][0-9a-fA-F]|7[fF])|\\u(?:061|180|20|[fF][eE][fF]|[fF][fF][fF])|\\[bfrt]"),
        (b"\x7f", rb"\x7f"),
        (b"\xc2", rb"\xc2[\x80-\x9f\xad]"),
        (b"\xd8", rb"\xd8\x9c"),
        (b"\xe1", rb"\xe1\xa0\x8e"),
        (b"\xe2", rb"\xe2\x80[\x8b\x8e\x8f\xa8-\xae]"),
        (b"\xe2", rb"\xe2\x81[\xa0\xa6-\xa9]"),
        (b"\xef", rb"\xef\xbb\xbf"),
        (b"\xef", rb"\xef\xbf[\xb9-\xbb]"),
        (b'"resume_url"', _ODD_LINK),
        (b'"', rb'"country"\s*:\s*"(?!(?:' + "|".join(sorted(KNOWN)).encode() + rb')")'),
    )
)
"""Patterns by which a body is selected for adaptation: first the bytes, which are found fast, then the pattern."""
_TO_LOOK_AT_ASCII = tuple((lead, pattern) for lead, pattern in _TO_LOOK_AT if lead.isascii())
_LINK = re.compile(RESUME_URL)
_USER_INFO = re.compile(r"https://[^/?#]*@")
LONGEST_LINK = 2000
_LOCALE = re.compile(r"[a-z]{2}(-[A-Z]{2})?")
_LOCALE_LIKE = re.compile(r"([A-Za-z]{2})(?:[-_]([A-Za-z]{2}))?(?:[-_.@].*)?")


def adapt(body: bytes, is_refused: bool) -> tuple[bytes, tuple[Reason, ...]] | None:
    """Return the body without inessential data, and a note per change; None when there is nothing to change.

    A body that its schema accepts is examined only if it may contain characters that no text needs.
    """
    if not is_refused and not may_need_changes(body):
        return None
    try:
        sale = from_json(body)
    except ValueError:
        return None
    if not isinstance(sale, dict):
        return None
    notes = list(_adapted(sale))
    return (json.dumps(sale, ensure_ascii=False).encode(), tuple(notes)) if notes else None


def may_need_changes(body: bytes) -> bool:
    """Return whether the body may contain invisible characters, or a code that is not assigned to a country.

    Called for every sale.
    """
    return any(
        lead in body and pattern.search(body)
        for lead, pattern in (_TO_LOOK_AT_ASCII if body.isascii() else _TO_LOOK_AT)
    )


def _adapted(sale: dict[str, Any]) -> Iterator[Reason]:
    """Change the sale in place and yield a note for each change."""
    for path, part, limits in _parts(sale):
        for name, most in limits.items():
            if isinstance(part.get(name), str):
                yield from _shown(part, name, f"{path}{name}", most)
    customer = sale.get("customer")
    if isinstance(customer, dict):
        yield from _customer(customer)
    yield from _skus(sale)
    yield from _link(sale)
    yield from _locale(sale)
    yield from _countries(sale)


def _parts(sale: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], dict[str, int]]]:
    for name, limits in _SHOWN.items():
        part = sale if not name else sale.get(name)
        if isinstance(part, dict):
            yield f"{name}." if name else "", part, limits
        elif isinstance(part, list):
            for index, one in enumerate(part):
                if isinstance(one, dict):
                    yield f"{name}[{index}].", one, limits


def _shown(part: dict[str, Any], name: str, path: str, most: int) -> Iterator[Reason]:
    """Remove invisible characters, and cut texts that are too long. Line breaks of a note are kept."""
    text: str = part[name]
    if "\r" in text or _CONTROLS.search(text):
        text = _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))
        text = text if name == "note" else text.replace("\n", " ")
        yield _note("characters_removed", path, "held characters that cannot be seen; they were removed")
    if len(text) > most:
        yield _note("text_cut", path, f"had {len(text)} characters, {most} are kept; the rest was cut")
        text = text[: most - 1] + MARK
    part[name] = text


def _customer(customer: dict[str, Any]) -> Iterator[Reason]:
    if "email" in customer:
        yield from _email(customer)
    for name, most in (("ip_address", 45), ("browser", 1000)):
        value = customer.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            yield from _dropped(customer, name, f"customer.{name}", "is not a text; it was left out")
        elif len(value) > most:
            text = f"has {len(value)} characters, {most} are kept; it was left out"
            yield from _dropped(customer, name, f"customer.{name}", text)


def _email(customer: dict[str, Any]) -> Iterator[Reason]:
    email = customer["email"]
    if isinstance(email, str) and not email.strip():
        customer["email"] = None
        yield _note("value_left_out", "customer.email", "is empty; the customer gets no mail")
    elif isinstance(email, str) and (len(email) > 254 or not _EMAIL.fullmatch(email)):
        text = f"is {email[:254]!r}, which is not a mail address; the customer gets no mail"
        yield from _dropped(customer, "email", "customer.email", text)


def _skus(sale: dict[str, Any]) -> Iterator[Reason]:
    lines = sale.get("lines")
    for index, line in enumerate(lines if isinstance(lines, list) else ()):
        sku = line.get("sku") if isinstance(line, dict) else None
        if isinstance(sku, str) and not sku.strip():
            yield from _dropped(line, "sku", f"lines[{index}].sku", "is empty; no stock is kept")
        elif isinstance(sku, str) and len(sku) > 64:
            text = f"is {sku[:200]!r} of {len(sku)} characters, 64 are possible; no stock is kept"
            yield from _dropped(line, "sku", f"lines[{index}].sku", text)


def _link(sale: dict[str, Any]) -> Iterator[Reason]:
    link = sale.get("resume_url")
    if link is not None and not is_link_of_a_mail(link):
        text = "is not an https address that a mail may link to; a reminder is sent without it"
        yield from _dropped(sale, "resume_url", "resume_url", text)


def is_link_of_a_mail(link: Any) -> bool:
    """Return whether a mail may link to it: an https address that shows where it leads, of at most 2,000 characters."""
    return (
        isinstance(link, str)
        and len(link) <= LONGEST_LINK
        and _LINK.fullmatch(link) is not None
        and not _USER_INFO.match(link)
        and not _CONTROLS.search(link)
    )


def _locale(sale: dict[str, Any]) -> Iterator[Reason]:
    locale = sale.get("locale")
    if not isinstance(locale, str) or _LOCALE.fullmatch(locale):
        return
    match = _LOCALE_LIKE.fullmatch(locale)
    if match is None:
        yield from _dropped(
            sale, "locale", "locale", f"is {locale[:40]!r}, which is not a language; fr is used instead"
        )
        return
    sale["locale"] = match[1].lower() + (f"-{match[2].upper()}" if match[2] else "")
    yield _note("value_corrected", "locale", f"was {locale[:40]!r}; {sale['locale']} was taken")


def _countries(sale: dict[str, Any]) -> Iterator[Reason]:
    for name in ("billing_address", "shipping_address"):
        part = sale.get(name)
        country = part.get("country") if isinstance(part, dict) else None
        if not isinstance(part, dict) or not isinstance(country, str):
            continue
        meant = RENAMED.get(country.strip().upper(), country.strip().upper())
        if len(meant) != 2:
            continue
        part["country"] = meant
        if meant not in KNOWN:
            yield _note(
                "country_unknown", f"{name}.country", f"is {meant}, which no country has; it was kept"
            )
        elif meant != country:
            yield _note("value_corrected", f"{name}.country", f"was {country[:40]!r}; {meant} was taken")


def _dropped(part: dict[str, Any], name: str, path: str, text: str) -> Iterator[Reason]:
    del part[name]
    yield _note("value_left_out", path, text)


def _note(code: str, path: str, text: str) -> Reason:
    return Reason(code=code, message=f"{path} {text}."[:1000], field=path)
