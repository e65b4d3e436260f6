"""Retention in payments: the content of ended webhooks, and the hourly counts of rejected posts, are deleted.

Unmatched money keeps its content, however its webhook ended: an order may still claim it, or staff look at it
again. The webhook's arrival, its result and its ledger entries are kept permanently.
"""

from services.chassis.background.retention import Rule, statement
from services.payments.settings import PaymentsSettings
from services.payments.webhooks.erasure_store import CLEARED, ENDED


def _days(settings: PaymentsSettings) -> int:
    return settings.ended_days


RULES = (
    Rule(
        "webhooks' content",
        _days,
        statement(
            f"""UPDATE webhook SET {CLEARED}
               WHERE id = ANY(ARRAY(
                   SELECT id FROM webhook WHERE {ENDED}
                       AND NOT (state = 'irrelevant' AND amount_minor IS NOT NULL)
                       AND length(body) > 2 AND handled_at < now() - $1::interval AND handled_at IS NOT NULL
                   ORDER BY handled_at LIMIT $2 FOR UPDATE SKIP LOCKED))"""  # noqa: S608 - constants of ours
        ),
    ),
    Rule(
        "transmissions",
        _days,
        statement(
            """DELETE FROM webhook_transmission WHERE ctid = ANY(ARRAY(
                   SELECT ctid FROM webhook_transmission WHERE received_at < now() - $1::interval
                   LIMIT $2 FOR UPDATE SKIP LOCKED))"""
        ),
    ),
    Rule(
        "counts of rejected posts",
        _days,
        statement(
            """DELETE FROM webhook_refused WHERE ctid = ANY(ARRAY(
                   SELECT ctid FROM webhook_refused WHERE last_at < now() - $1::interval
                   LIMIT $2 FOR UPDATE SKIP LOCKED))"""
        ),
    ),
)
