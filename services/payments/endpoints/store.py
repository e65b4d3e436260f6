"""The tables of endpoints that are set in the back office, and of their encrypted secrets."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.chassis.storage.database import Connection


class EndpointRow(NamedTuple):
    """An endpoint as it is stored."""

    slug: str
    provider: str
    shop: str
    is_live: bool
    texts: Mapping[str, str]
    revision: int


class SecretRow(NamedTuple):
    """A secret as it is stored."""

    id: UUID
    slug: str
    name: str
    sealed: bytes
    ends_in: str
    set_at: datetime
    set_by: str
    expires_at: datetime | None


async def lock(connection: Connection) -> None:
    """Let one change at a time go on until its transaction ends; reading is not locked."""
    await connection.execute("LOCK TABLE provider_endpoint IN SHARE ROW EXCLUSIVE MODE")


async def read_endpoints(connection: Connection) -> list[EndpointRow]:
    """Return all endpoints, the oldest first."""
    rows = await connection.fetch(
        """SELECT slug, provider, shop, is_live, texts, revision FROM provider_endpoint
           ORDER BY added_at, slug"""
    )
    return [EndpointRow(*row.values())._replace(texts=json.loads(row["texts"])) for row in rows]


async def read_secrets(connection: Connection) -> list[SecretRow]:
    """Return all secrets that have not expired, of each name the newest first."""
    rows = await connection.fetch(
        """SELECT id, slug, name, sealed, ends_in, set_at, set_by, expires_at FROM provider_secret
           WHERE expires_at IS NULL OR expires_at > now() ORDER BY slug, name, set_at DESC, id DESC"""
    )
    return [SecretRow(*row.values()) for row in rows]


async def add_endpoint(connection: Connection, row: EndpointRow, now: datetime, actor: str) -> None:
    """Insert an endpoint."""
    await connection.execute(
        """INSERT INTO provider_endpoint (slug, provider, shop, is_live, texts, revision, added_at, added_by,
               changed_at, changed_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $7, $8)""",
        row.slug,
        row.provider,
        row.shop,
        row.is_live,
        json.dumps(dict(row.texts)),
        row.revision,
        now,
        actor,
    )


async def change_endpoint(connection: Connection, row: EndpointRow, now: datetime, actor: str) -> None:
    """Update mode and texts of an endpoint; its revision grows."""
    await connection.execute(
        """UPDATE provider_endpoint SET is_live = $2, texts = $3, revision = revision + 1, changed_at = $4,
               changed_by = $5 WHERE slug = $1""",
        row.slug,
        row.is_live,
        json.dumps(dict(row.texts)),
        now,
        actor,
    )


async def remove_endpoint(connection: Connection, slug: str) -> None:
    """Delete an endpoint with its secrets."""
    await connection.execute("DELETE FROM provider_endpoint WHERE slug = $1", slug)


async def add_secrets(connection: Connection, rows: Sequence[SecretRow]) -> None:
    """Insert secrets."""
    await connection.executemany(
        """INSERT INTO provider_secret (id, slug, name, sealed, ends_in, set_at, set_by, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        rows,
    )


async def let_expire(connection: Connection, secret_id: UUID, at: datetime) -> None:
    """Let a secret expire then, unless it expires before."""
    await connection.execute(
        "UPDATE provider_secret SET expires_at = least(expires_at, $2) WHERE id = $1", secret_id, at
    )


async def remove_secret(connection: Connection, slug: str, secret_id: UUID) -> None:
    """Delete a secret."""
    await connection.execute("DELETE FROM provider_secret WHERE slug = $1 AND id = $2", slug, secret_id)


async def remove_expired(connection: Connection) -> None:
    """Delete the secrets that have expired."""
    await connection.execute("DELETE FROM provider_secret WHERE expires_at <= now()")
