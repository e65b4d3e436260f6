"""SQL of the texts that shops wrote, of their profiles, and of texts that turned out to be damaged.

A row is a version: it is written once and never changed, so what a mail was planned with can always be read.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from contracts.notifier.mail_texts import ShopAppearance, TextPart
from services.chassis.storage.bulk import Bulk, Integer, Json
from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer

PROFILE = "profile"
"""The key of the profile's version among a mail's versions."""
TextKey = tuple[str, str, str, str]
"""Shop, wording, language and part."""


class TextRow(NamedTuple):
    shop: str
    template: str
    locale: str
    part: str
    version: Integer
    text: str | None
    changed_by: str
    changed_at: datetime


class ProfileRow(NamedTuple):
    shop: str
    version: Integer
    appearance: Json
    logo: bytes | None
    changed_by: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class ActiveVersions:
    """What a shop's next mail is planned with: the versions of its own texts, and of its profile."""

    texts: dict[TextKey, int]
    profiles: dict[str, int]

    def of(self, shop: str, wording: str, locale: str) -> dict[str, int]:
        """Return the versions for one mail, by part; a part that is built in has none."""
        parts = ((part.value, self.texts.get((shop, wording, locale, part.value))) for part in TextPart)
        versions = {part: version for part, version in parts if version}
        return versions | ({PROFILE: self.profiles[shop]} if shop in self.profiles else {})


_READ_TEXTS = Bulk(
    tuple[str, str, str, str],
    """SELECT DISTINCT ON (shop, template, locale, part) t.*
       FROM template_text AS t JOIN {rows} AS wanted (shop, template, locale, part)
       USING (shop, template, locale, part)
       ORDER BY shop, template, locale, part, version DESC""",
)
_INSERT_TEXTS = Bulk(TextRow, "INSERT INTO template_text ({columns}) SELECT * FROM {rows}")
_INSERT_PROFILES = Bulk(ProfileRow, "INSERT INTO shop_profile ({columns}) SELECT * FROM {rows}")


async def read_texts(connection: Connection, keys: Collection[TextKey]) -> dict[TextKey, TextRow]:
    """Return the latest version of each of these texts that was ever changed."""
    rows = [TextRow(**row) for row in await _READ_TEXTS.fetch(connection, sorted(keys))]
    return {(row.shop, row.template, row.locale, row.part): row for row in rows}


async def read_profiles(connection: Connection, shops: Collection[str]) -> dict[str, ProfileRow]:
    """Return the latest profile of each of these shops that was ever changed."""
    rows = await connection.fetch(
        """SELECT DISTINCT ON (shop) * FROM shop_profile WHERE shop = ANY($1::text[])
           ORDER BY shop, version DESC""",
        sorted(shops),
    )
    return {row["shop"]: ProfileRow(**row) for row in rows}


async def insert_texts(connection: Writer, rows: Sequence[TextRow]) -> None:
    """Write new versions of texts; a version that exists fails the batch, whose commands are then retried."""
    await _INSERT_TEXTS.execute(connection, rows)


async def insert_profiles(connection: Writer, rows: Sequence[ProfileRow]) -> None:
    """Write new versions of profiles, likewise."""
    await _INSERT_PROFILES.execute(connection, rows)


async def read_active_versions(connection: Connection, shops: Collection[str]) -> ActiveVersions:
    """Return the versions that mails of these shops are planned with; built-in texts have none."""
    rows = await connection.fetch(
        """(SELECT DISTINCT ON (shop, template, locale, part)
                   shop, template, locale, part, CASE WHEN text IS NULL THEN 0 ELSE version END AS version
            FROM template_text AS t WHERE shop = ANY($1::text[])
            ORDER BY shop, template, locale, part, t.version DESC)
           UNION ALL
           (SELECT DISTINCT ON (shop) shop, NULL, NULL, NULL, version
            FROM shop_profile WHERE shop = ANY($1::text[]) ORDER BY shop, version DESC)""",
        sorted(shops),
    )
    found = ActiveVersions({}, {})
    for row in rows:
        if row["part"] is not None and row["version"]:
            found.texts[row["shop"], row["template"], row["locale"], row["part"]] = row["version"]
        elif row["part"] is None:
            found.profiles[row["shop"]] = row["version"]
    return found


async def read_versions(
    connection: Connection, shop: str, wording: str, locale: str, versions: dict[str, int]
) -> tuple[dict[TextPart, str], ProfileRow | None]:
    """Return the texts and the profile of these versions, as far as they exist."""
    rows = await connection.fetch(
        """SELECT part, text FROM template_text
           JOIN unnest($4::text[], $5::integer[]) AS wanted (part, version) USING (part, version)
           WHERE shop = $1 AND template = $2 AND locale = $3 AND text IS NOT NULL""",
        shop,
        wording,
        locale,
        list(versions),
        list(versions.values()),
    )
    profile = await connection.fetchrow(
        "SELECT * FROM shop_profile WHERE shop = $1 AND version = $2", shop, versions.get(PROFILE, 0)
    )
    return {TextPart(row["part"]): row["text"] for row in rows}, ProfileRow(**profile) if profile else None


async def read_history(connection: Connection, shop: str, wording: str, locale: str) -> list[TextRow]:
    """Return the versions of a mail's texts in one language, the latest first; at most two hundred."""
    rows = await connection.fetch(
        """SELECT * FROM template_text WHERE shop = $1 AND template = $2 AND locale = $3
           ORDER BY changed_at DESC, version DESC LIMIT 200""",
        shop,
        wording,
        locale,
    )
    return [TextRow(**row) for row in rows]


async def read_latest(connection: Connection, shop: str) -> list[TextRow]:
    """Return the latest version of every text of a shop that was ever changed."""
    rows = await connection.fetch(
        """SELECT DISTINCT ON (template, locale, part) * FROM template_text WHERE shop = $1
           ORDER BY template, locale, part, version DESC""",
        shop,
    )
    return [TextRow(**row) for row in rows]


async def note_damage(
    connection: Connection, key: TextKey, version: int, mail_id: UUID, at: datetime
) -> bool:
    """Record that a text is damaged; return whether it was not recorded before."""
    noted = await connection.fetchval(
        """INSERT INTO damaged_text (shop, template, locale, part, version, mail_id, noted_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING version""",
        *key,
        version,
        mail_id,
        at,
    )
    return noted is not None


def appearance_of(row: ProfileRow | None) -> ShopAppearance:
    """Return the brand and support block of a stored profile; what an older version stored is read as well."""
    values: dict[str, Any] = json.loads(row.appearance) if row else {}
    return ShopAppearance.model_validate(values)


async def read_recent(connection: Connection, shop: str, template: str) -> list[UUID]:
    """Return the shop's latest mails of a template whose orders still exist, the latest first; at most fifty."""
    rows = await connection.fetch(
        """SELECT mail.id FROM mail JOIN addressee USING (shop, order_id)
           WHERE mail.shop = $1 AND mail.template = $2 AND addressee.deleted_at IS NULL
           ORDER BY mail.created_at DESC, mail.id DESC LIMIT 50""",
        shop,
        template,
    )
    return [row["id"] for row in rows]
