"""Retention of reminders: whom they went to, and what they held, is emptied after a month.

The order of a reminder was mostly never placed, so nobody deletes it. Orders keeps such a checkout for 45 days at
least (`COMPTOIR_CHECKOUT_DAYS`); a customer's erasure goes by the orders it still has, so it finds no later ones.
"""

from datetime import timedelta

from services.chassis.background.retention import Rule
from services.chassis.storage.database import Connection
from services.notifier.mails.settings import NotifierSettings

KEPT_DAYS = 30
_EMPTYING = (
    "UPDATE resend SET recipient = NULL WHERE mail_id = ANY($1::uuid[])",
    "DELETE FROM bounce_address WHERE mail_id = ANY($1::uuid[])",
    "UPDATE bounce SET address = '', diagnostic = '' WHERE mail_id = ANY($1::uuid[])",
    """UPDATE msg.effect AS e SET detail = NULL FROM mail AS m
       WHERE m.id = ANY($1::uuid[]) AND e.kind = 'mail' AND e.key = m.id::text
         AND strpos(lower(e.detail), lower(m.recipient)) > 0""",
    """UPDATE mail SET recipient = CASE WHEN template = 'checkout_abandoned' THEN '' ELSE recipient END,
           context = CASE WHEN template = 'checkout_abandoned' THEN '{}'::jsonb ELSE '{"diagnostic": ""}' END
       WHERE id = ANY($1::uuid[])""",
)


async def forget_reminders(connection: Connection, age: timedelta, most: int) -> int:
    """Empty at most this many reminders older than this, and alarms about refused ones, which quote a server's
    answer; return their number. That there was a mail, and what became of it, stays.
    """
    rows = await connection.fetch(
        """SELECT id FROM mail AS m
           WHERE (template = 'checkout_abandoned' AND recipient <> ''
                  OR template = 'sender_refused' AND order_id IS NULL AND context->>'diagnostic' <> '')
             AND created_at < now() - $1::interval
             AND NOT EXISTS (SELECT FROM msg.effect AS e WHERE e.key = m.id::text AND e.kind = 'mail'
                                 AND e.state IN ('planned', 'in_flight'))
           ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED""",
        age,
        most,
    )
    for sql in _EMPTYING:
        await connection.execute(sql, [row["id"] for row in rows])
    return len(rows)


def _days(_: NotifierSettings) -> int:
    return KEPT_DAYS


RULES = (Rule("reminders of abandoned checkouts", _days, forget_reminders),)
