"""Mail addresses, in every service: whether one has a form that a mail server accepts, and whether two are the same.

An order whose recap cannot be delivered is rejected while the customer is still in the shop, instead of
bouncing later. No DNS lookup is made. Reserved domains (.test, .example, .invalid) are accepted: their form
is valid. Form: RFC 5321 section 4.1.2 without quoted local parts and address literals, which no customer
types.
"""

import re
from contextlib import suppress

LONGEST = 254
LONGEST_LOCAL_PART = 64
LONGEST_DOMAIN = 253
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_NAME = re.compile(r"[^\s@<>()\[\],;:\\\"]+|\"[^\"\\\r\n]+\"")
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"({_LABEL}\.)+(?=[^.]*[A-Za-z])[A-Za-z0-9][A-Za-z0-9-]{{0,61}}[A-Za-z0-9]")


def is_deliverable(address: str) -> bool:
    """Return whether a mail server would accept the form of this address.

    International domains are checked as punycode.
    """
    local_part, at, domain = address.rpartition("@")
    return (
        at == "@"
        and len(local_part) <= LONGEST_LOCAL_PART
        and _LOCAL_PART.fullmatch(local_part) is not None
        and _is_domain(domain)
    )


def may_be_mailed(address: str) -> bool:
    """Return whether a mail can be addressed to it at all.

    Includes local parts that must be quoted (RFC 5321) and addresses that need SMTPUTF8 (RFC 6531), which the
    mail server may still refuse.
    """
    name, at, domain = address.rpartition("@")
    octets = len(name.encode())
    return (
        at == "@"
        and 0 < octets <= LONGEST_LOCAL_PART
        and _NAME.fullmatch(name) is not None
        and _is_domain(domain)
    )


def _is_domain(domain: str) -> bool:
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            return False
    return len(domain) <= LONGEST_DOMAIN and _DOMAIN.fullmatch(domain) is not None


def comparable(address: str) -> str:
    """Return the form in which addresses are compared: lower case, the domain in ASCII, the name without
    quotes.

    Names differ by case only in theory (RFC 5321, 2.4); a server that reports an address may have changed it.
    """
    name, at, domain = address.strip().rpartition("@")
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = name[1:-1].replace("\\", "")
    with suppress(UnicodeError):
        domain = domain.encode("idna").decode()
    return f"{name}{at}{domain}".lower()
