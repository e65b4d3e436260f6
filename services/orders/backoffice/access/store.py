"""SQL of staff, sessions, invitations, sign-in attempts and audit: a function per statement.

The connection comes first. Nothing here locks an order. Secrets are passed in only as hashes.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.chassis.storage.database import Connection

Row = Mapping[str, Any]


async def add_staff(
    connection: Connection,
    staff_id: UUID,
    shop: str,
    login: str,
    name: str,
    role: str,
    by: str,
    now: datetime,
) -> bool:
    """Add a user without a password; return False when the login is in use."""
    added = await connection.fetchval(
        """insert into staff (staff_id, shop, login, name, role, created_at, created_by)
           values ($1, $2, $3, $4, $5, $7, $6) on conflict (login) do nothing returning true""",
        *(staff_id, shop, login, name, role, by, now),
    )
    return bool(added)


async def read_login(connection: Connection, login: str) -> Row | None:
    """Return the user with this login."""
    return await connection.fetchrow("select * from staff where login = $1", login)


async def read_staff(connection: Connection, staff_id: UUID) -> Row | None:
    """Return a user."""
    return await connection.fetchrow("select * from staff where staff_id = $1", staff_id)


async def list_staff(connection: Connection, shop: str) -> Sequence[Row]:
    """Return a shop's users with when they were last seen and whether an invitation is open, by login."""
    return await connection.fetch(
        """select s.*, (select max(last_seen_at) from staff_session t where t.staff_id = s.staff_id) as last_seen_at,
                  exists (select from staff_invitation i where i.staff_id = s.staff_id and i.used_at is null
                          and i.expires_at > now()) as is_invited
           from staff s where shop = $1 order by login""",
        shop,
    )


async def read_names(connection: Connection, shop: str) -> Sequence[Row]:
    """Return login and name of all current and former staff of the shop."""
    return await connection.fetch("select login, name from staff where shop = $1", shop)


async def set_password(connection: Connection, staff_id: UUID, password_hash: str, now: datetime) -> None:
    """Replace a password's hash."""
    await connection.execute(
        "update staff set password_hash = $2, password_changed_at = $3 where staff_id = $1",
        *(staff_id, password_hash, now),
    )


async def set_role(connection: Connection, shop: str, staff_id: UUID, role: str) -> None:
    """Change a user's role."""
    await connection.execute(
        "update staff set role = $3 where shop = $1 and staff_id = $2", shop, staff_id, role
    )


async def set_disabled(connection: Connection, shop: str, staff_id: UUID, at: datetime | None) -> None:
    """Disable a user, or enable them again."""
    await connection.execute(
        "update staff set disabled_at = $3 where shop = $1 and staff_id = $2", shop, staff_id, at
    )


async def count_owners(connection: Connection, shop: str) -> int:
    """Count the shop's owners who can sign in. Locks the shop's users, so that two cannot remove each other."""
    rows = await connection.fetch(
        "select role, disabled_at from staff where shop = $1 order by staff_id for update", shop
    )
    return sum(row["role"] == "owner" and row["disabled_at"] is None for row in rows)


async def set_preferences(connection: Connection, staff_id: UUID, changes: str) -> None:
    """Change some of a user's preferences: a JSON object merged into the stored one."""
    await connection.execute(
        "update staff set preferences = preferences || $2::jsonb where staff_id = $1", staff_id, changes
    )


async def add_session(
    connection: Connection,
    session_id: UUID,
    token_hash: bytes,
    staff_id: UUID,
    now: datetime,
    expires_at: datetime,
    address: str,
    user_agent: str,
) -> None:
    """Store a session of a browser that signed in."""
    await connection.execute(
        """insert into staff_session
               (session_id, token_hash, staff_id, created_at, last_seen_at, expires_at, address, user_agent)
           values ($1, $2, $3, $4, $4, $5, $6, $7)""",
        *(session_id, token_hash, staff_id, now, expires_at, address, user_agent),
    )


async def read_session(connection: Connection, token_hash: bytes) -> Row | None:
    """Return a session with its user, in any state."""
    return await connection.fetchrow(
        """select t.session_id, t.last_seen_at, t.expires_at, t.revoked_at, s.staff_id, s.shop, s.login, s.name,
                  s.role, s.disabled_at, s.preferences
           from staff_session t join staff s on s.staff_id = t.staff_id where t.token_hash = $1""",
        token_hash,
    )


async def touch_session(connection: Connection, session_id: UUID, now: datetime) -> None:
    """Record that the session was used."""
    await connection.execute(
        "update staff_session set last_seen_at = greatest(last_seen_at, $2) where session_id = $1",
        session_id,
        now,
    )


async def list_sessions(
    connection: Connection, staff_id: UUID, now: datetime, idle: datetime
) -> Sequence[Row]:
    """Return a user's valid sessions, latest first."""
    return await connection.fetch(
        """select session_id, created_at, last_seen_at, expires_at, address, user_agent from staff_session
           where staff_id = $1 and revoked_at is null and expires_at > $2 and last_seen_at > $3
           order by last_seen_at desc""",
        *(staff_id, now, idle),
    )


async def revoke_sessions(
    connection: Connection,
    staff_id: UUID,
    now: datetime,
    *,
    only: UUID | None = None,
    but: UUID | None = None,
) -> int:
    """End one session of a user, or all, or all but one; return how many ended."""
    rows = await connection.fetch(
        """update staff_session set revoked_at = $2
           where staff_id = $1 and revoked_at is null
             and ($3::uuid is null or session_id = $3) and ($4::uuid is null or session_id <> $4)
           returning session_id""",
        *(staff_id, now, only, but),
    )
    return len(rows)


async def add_invitation(
    connection: Connection, token_hash: bytes, staff_id: UUID, by: str, now: datetime, expires_at: datetime
) -> None:
    """Add an invitation to choose a password; earlier invitations end."""
    await connection.execute(
        "update staff_invitation set expires_at = least(expires_at, $2) where staff_id = $1 and used_at is null",
        *(staff_id, now),
    )
    await connection.execute(
        """insert into staff_invitation (token_hash, staff_id, created_at, created_by, expires_at)
           values ($1, $2, $3, $4, $5)""",
        *(token_hash, staff_id, now, by, expires_at),
    )


async def read_invitation(connection: Connection, token_hash: bytes, now: datetime) -> Row | None:
    """Return the user an open invitation is for."""
    return await connection.fetchrow(
        """select s.* from staff_invitation i join staff s on s.staff_id = i.staff_id
           where i.token_hash = $1 and i.used_at is null and i.expires_at > $2 and s.disabled_at is null""",
        *(token_hash, now),
    )


async def use_invitation(connection: Connection, token_hash: bytes, now: datetime) -> UUID | None:
    """Use up an invitation and return its user; None when it is no longer valid. Locks its row until the
    commit.
    """
    found = await connection.fetchval(
        """update staff_invitation set used_at = $2
           where token_hash = $1 and used_at is null and expires_at > $2 returning staff_id""",
        *(token_hash, now),
    )
    return found if isinstance(found, UUID) else None


async def add_attempt(
    connection: Connection, attempt_id: UUID, login_hash: bytes, address: str, now: datetime
) -> None:
    """Store a sign-in attempt as failed; `mark_attempt_successful` corrects that after a successful sign-in."""
    await connection.execute(
        """insert into sign_in_attempt (attempt_id, login_hash, address, attempted_at, is_failure)
           values ($1, $2, $3, $4, true)""",
        *(attempt_id, login_hash, address, now),
    )


async def mark_attempt_successful(connection: Connection, attempt_id: UUID) -> None:
    """Mark an attempt as successful, so that it no longer counts as a failure."""
    await connection.execute(
        "update sign_in_attempt set is_failure = false where attempt_id = $1", attempt_id
    )


async def count_failures(connection: Connection, login_hash: bytes, address: str, since: datetime) -> Row:
    """Return how often this login and this address failed since then: by_login, by_address."""
    row = await connection.fetchrow(
        """select (select count(*) from sign_in_attempt
                   where login_hash = $1 and attempted_at > $3 and is_failure) as by_login,
                  (select count(*) from sign_in_attempt
                   where address = $2 and attempted_at > $3 and is_failure) as by_address""",
        *(login_hash, address, since),
    )
    assert row is not None
    return row


async def delete_attempts(connection: Connection, before: datetime) -> None:
    """Delete attempts that no longer count."""
    await connection.execute("delete from sign_in_attempt where attempted_at < $1", before)


async def delete_sessions(connection: Connection, before: datetime) -> None:
    """Delete sessions that ended long ago, and invitations."""
    await connection.execute(
        "delete from staff_session where expires_at < $1 or revoked_at < $1 or last_seen_at < $1", before
    )
    await connection.execute("delete from staff_invitation where expires_at < $1", before)


async def begin_audit(connection: Connection, row: Sequence[Any]) -> None:
    """Record the start of an action: audit_id, shop, staff_id, actor, at, action, address, path, session_id."""
    await connection.execute(
        """insert into audit (audit_id, shop, staff_id, actor, at, action, address, path, session_id, outcome)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'begun')""",
        *row,
    )


async def end_audit(
    connection: Connection, audit_id: UUID, outcome: str, status: int, order_id: UUID | None, detail: str
) -> None:
    """Record how an action ended."""
    await connection.execute(
        "update audit set outcome = $2, status = $3, order_id = $4, detail = $5::jsonb where audit_id = $1",
        *(audit_id, outcome, status, order_id, detail),
    )


async def list_audit(connection: Connection, shop: str, order_id: UUID | None, limit: int) -> Sequence[Row]:
    """Return actions of a shop's staff, latest first; those about one order when one is given."""
    return await connection.fetch(
        """select * from audit where shop = $1 and ($2::uuid is null or order_id = $2)
           order by at desc, audit_id desc limit $3""",
        *(shop, order_id, limit),
    )
