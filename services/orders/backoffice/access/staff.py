"""People of a shop: added, invited to choose a password, given another role, shut out.

Invariant: a shop never loses its last owner who can sign in. A password is chosen by its person alone, with a link
that works once and for three days; there is no password that a program made up or that stands in a file.
"""

import secrets
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

from contracts.envelope import uuid7
from services.chassis.storage.database import Connection
from services.orders.backoffice.access import passwords, sessions, store
from services.orders.backoffice.access.permissions import Role
from services.orders.backoffice.access.signing_in import normal
from services.orders.order.customer.mail_address import is_deliverable
from services.orders.order.shop.cache import TtlCache

INVITED_FOR = timedelta(days=3)


class LoginTaken(Exception):
    """Somebody has this login already."""

    def __init__(self, login: str) -> None:
        super().__init__(f"{login} is somebody's login already; invite them again, or take another address")
        self.login = login


class NoMailAddress(ValueError):
    """A login is a mail address."""

    def __init__(self, login: str) -> None:
        super().__init__(f"{login!r} is no mail address; a login is one: name@example.com")
        self.login = login


class LastOwner(Exception):
    """The shop would have no owner left."""

    def __init__(self, shop: str) -> None:
        super().__init__(f"{shop} would have no owner left; make somebody else an owner first")
        self.shop = shop


class PasswordWeak(ValueError):
    """The password may not be one; `objection` is why, to be translated."""

    def __init__(self, objection: str) -> None:
        super().__init__(objection)
        self.objection = objection


class InvitationOver(Exception):
    """The link was used, replaced by a later one, or its time is over: ask for a new one."""


async def _names(connection: Connection, shop: str) -> dict[str, str]:
    rows = await store.read_names(connection, shop)
    often = Counter(row["name"] for row in rows)
    return {
        row["login"]: row["name"] if often[row["name"]] == 1 else f"{row['name']} ({row['login']})"
        for row in rows
    }


names_of = TtlCache(_names)
"""`await names_of.get(connection, owner, shop)`: the name of everybody who is or was of the staff, by login; two people
of one name keep their logins beside it."""


async def add(connection: Connection, shop: str, login: str, name: str, role: Role, by: str) -> UUID:
    """Add a person who has no password yet. Raises LoginTaken, NoMailAddress."""
    login, staff_id = normal(login), uuid7()
    if not is_deliverable(login):
        raise NoMailAddress(login)
    now = datetime.now(UTC)
    if not await store.add_staff(connection, staff_id, shop, login, name.strip() or login, role, by, now):
        raise LoginTaken(login)
    return staff_id


async def invite(connection: Connection, staff_id: UUID, by: str) -> str:
    """A link's token with which the person chooses a password; earlier ones end."""
    token, now = secrets.token_urlsafe(32), datetime.now(UTC)
    await store.add_invitation(connection, sessions.digest(token), staff_id, by, now, now + INVITED_FOR)
    return token


async def take_up(connection: Connection, token: str, password: str) -> UUID:
    """Choose a password with an invitation, which ends every session. Raises InvitationOver, PasswordWeak."""
    now = datetime.now(UTC)
    row = await store.read_invitation(connection, sessions.digest(token), now)
    if row is None:
        raise InvitationOver
    await _choose(connection, row["staff_id"], row["login"], password)
    if await store.use_invitation(connection, sessions.digest(token), now) is None:
        raise InvitationOver
    await store.revoke_sessions(connection, row["staff_id"], now)
    return UUID(str(row["staff_id"]))


async def _choose(connection: Connection, staff_id: UUID, login: str, password: str) -> None:
    objection = passwords.objection(password, login)
    if objection is not None:
        raise PasswordWeak(objection)
    await store.set_password(connection, staff_id, await passwords.hashed(password), datetime.now(UTC))


async def change_password(connection: Connection, person: sessions.Person, password: str) -> None:
    """Choose another password; the person's other sessions end. Raises PasswordWeak."""
    await _choose(connection, person.staff_id, person.login, password)
    await store.revoke_sessions(connection, person.staff_id, datetime.now(UTC), but=person.session_id)


async def set_password(connection: Connection, staff_id: UUID, login: str, password: str) -> None:
    """Give a person a password from the command line. Raises PasswordWeak."""
    await _choose(connection, staff_id, login, password)


async def give_role(connection: Connection, shop: str, staff_id: UUID, role: Role) -> None:
    """Give a person another role, in a transaction. Raises LastOwner."""
    await store.set_role(connection, shop, staff_id, role)
    await _keep_an_owner(connection, shop)


async def disable(connection: Connection, shop: str, staff_id: UUID) -> None:
    """Shut a person out at once, in a transaction. Raises LastOwner."""
    now = datetime.now(UTC)
    await store.set_disabled(connection, shop, staff_id, now)
    await store.revoke_sessions(connection, staff_id, now)
    await _keep_an_owner(connection, shop)


async def enable(connection: Connection, shop: str, staff_id: UUID) -> None:
    """Let a person in again."""
    await store.set_disabled(connection, shop, staff_id, None)


async def _keep_an_owner(connection: Connection, shop: str) -> None:
    if await store.count_owners(connection, shop) == 0:
        raise LastOwner(shop)
