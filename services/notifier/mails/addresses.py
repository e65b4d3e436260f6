"""Mail addresses: the form in which a mail server receives one.

An address comes from a customer or from settings. Its name may have letters beyond ASCII (SMTPUTF8, RFC 6531) or need
quotes (RFC 5321, 4.1.2); which of them the mail server supports is known only on a connection to it.
"""

import re

from email_validator import EmailNotValidError, validate_email

LONGEST = 254
_PLAIN_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)


_DOT_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_QUOTABLE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+")


class AddressUnusable(ValueError):
    """No mail can be sent to this address."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(
            f"mail address {address[:254]!r} can't be used: {why}; correct it and send the mail again"
        )
        self.address = address


def usable_address(address: str) -> str:
    """Return the address in the form sent to the mail server: its domain in ASCII, its name quoted where RFC
    5321 requires that.

    A name with a dot at its end or two in a row has no unquoted form there, but mobile providers assigned
    such addresses. Raises AddressUnusable.
    """
    if len(address) <= LONGEST and _PLAIN_ADDRESS.fullmatch(address):
        return address
    try:
        checked = validate_email(
            _quoted(address), check_deliverability=False, test_environment=True, allow_quoted_local=True
        )
    except EmailNotValidError as error:
        raise AddressUnusable(address, str(error)) from None
    return f"{_quoted_name(checked.local_part)}@{checked.ascii_domain}"


def _quoted(address: str) -> str:
    """Return the address with its name quoted, where its dots are in places that only a quoted name may have."""
    name, at, domain = address.rpartition("@")
    dotted = name.startswith(".") or name.endswith(".") or ".." in name
    return f'"{name}"{at}{domain}' if dotted and _QUOTABLE.fullmatch(name) else address


def _quoted_name(name: str) -> str:
    plain = not name.isascii() or _DOT_ATOM.fullmatch(name) or name.startswith('"')
    return name if plain else '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
