"""Numbers as people type them, without what groups their thousands.

A space, an apostrophe, a point or a comma groups thousands where exactly three digits follow it. Any other stays, so
that the number is refused: read without it, 1 2 for 1.2 would be ten times as much.
"""

import re

from services.orders.backoffice.language.translating import page_locale

_ENGLISH_GROUPS = re.compile(r"-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")


def plain_whole(typed: str) -> str:
    """Return a whole number without spaces between its thousands: 1 234 is 1234."""
    return _without_groups(_unspaced(typed), r"\s")


def plain_amount(typed: str) -> str:
    """Return a number with a decimal point and nothing between its thousands: 1 234,50 and 1,234.50 are 1234.50.

    The last of comma and point is the decimal one, except that in English a comma before three digits groups
    thousands: 1,234 is 1234 in English and 1.234 in French.
    """
    number = _without_groups(_unspaced(typed), r"\s'’").replace("\N{MINUS SIGN}", "-")
    if page_locale().language == "en" and _ENGLISH_GROUPS.fullmatch(number):
        return number.replace(",", "")
    if number.rfind(",") > number.rfind("."):
        return _without_groups(number, ".").replace(",", ".")
    return _without_groups(number, ",")


def _unspaced(typed: str) -> str:
    """Return a number without the spaces around it and after its sign."""
    return re.sub(r"^([+\-\N{MINUS SIGN}])\s+", r"\1", typed.strip())


def _without_groups(typed: str, separators: str) -> str:
    return re.sub(rf"(?<=[0-9])[{separators}](?=[0-9]{{3}}(?![0-9]))", "", typed)
