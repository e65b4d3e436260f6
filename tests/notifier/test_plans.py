"""The lists of mails and of conversations among many: what is filtered or sought is read from an index.

The same plans were seen with 600,000 mails and 210,000 conversations.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from services.chassis.testing import Desk
from services.notifier.conversation.queries import ThreadQuery
from services.notifier.conversation.reading_store import threads_sql
from services.notifier.mails.listing import Query
from services.notifier.mails.store import mails_sql
from tests.conftest import Desks, FreshDatabase

SHOP = "atelier"
MOST_ROWS = 1500
"""Of 12,000 mails and 6,000 conversations, for a page of 50."""
_SEED = (
    """INSERT INTO addressee (shop, order_id, code, name, email, locale, thread_mail_id, placed)
        SELECT 'atelier', gen_random_uuid(), 'K' || n, 'Zoé ' || md5(n::text), 'c' || n || '@x.example', 'fr',
               gen_random_uuid(), '{}'
        FROM generate_series(1, 12000) n""",
    """INSERT INTO mail (id, shop, order_id, code, cause_id, template, recipient, locale, message_id, context,
                         created_at)
       SELECT gen_random_uuid(), shop, order_id, code, gen_random_uuid(),
              CASE WHEN substr(code, 2)::int % 100 = 0 THEN 'refund_made' ELSE 'order_recap' END, email, 'fr', code,
              '{}', now() - random() * interval '300 days'
       FROM addressee""",
    """INSERT INTO msg.effect (key, kind, state, payload, next_at, created_at, updated_at)
       SELECT id::text, 'mail',
              CASE substr(code, 2)::int % 1000 WHEN 1 THEN 'failed' WHEN 2 THEN 'discarded' ELSE 'done' END,
              '{}', now(), now(), now()
       FROM mail""",
    """INSERT INTO mail_end (mail_id, state, kind, at)
       SELECT id, CASE WHEN substr(code, 2)::int % 1000 = 0 THEN 'withdrawn' ELSE 'bounced' END, 'late', now()
       FROM mail WHERE substr(code, 2)::int % 10 = 0""",
    """INSERT INTO thread (shop, order_id, version, state, unread, last_at, assignee, excerpt, mail_ids)
       SELECT shop, order_id, 1, 'closed', 0, now() - random() * interval '300 days',
              CASE WHEN substr(code, 2)::int % 100 = 0 THEN 'lea' END, '', '{}'
       FROM addressee WHERE substr(code, 2)::int % 2 = 0""",
    """INSERT INTO message (shop, message_id, order_id, author_role, author, via, posted_at, segments, is_automatic,
                            verified)
       SELECT shop, gen_random_uuid(), order_id, 'customer', 'Zoé', 'mail', last_at,
              jsonb_build_array(jsonb_build_object('kind', 'shown', 'text',
                  'Bonjour, ma bougie ' || md5(order_id::text) || ' est arrivée, merci.')), false, 'none'
       FROM thread""",
    "VACUUM ANALYZE",
)


@pytest.fixture
async def many(desks: Desks, fresh_database: FreshDatabase) -> Desk:
    """A notifier with many orders of one shop, each second one with a conversation, in files that had no other rows."""
    desk = await desks("notifier", await fresh_database("notifier"))
    for sql in _SEED:
        await desk.hub.pool.execute(sql)
    return desk


class Plan(NamedTuple):
    """What a statement used and read: the names of its indexes, and the rows of tables and indexes it looked at."""

    indexes: set[str]
    rows: float
    shown: str


async def plan(desk: Desk, sql: str, arguments: list[Any]) -> Plan:
    """Run a statement as the notifier does. Its connections never prefer to read a whole table: so what counts is
    how much was read, by whatever index."""
    stored = json.loads(
        await desk.fetchval(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, FORMAT JSON) {sql}", *arguments)
    )
    nodes = list(_nodes(stored[0]["Plan"]))
    rows = sum(_read(node) for node in nodes if node["Node Type"].endswith("Scan"))
    return Plan(
        {node["Index Name"] for node in nodes if "Index Name" in node}, rows, json.dumps(stored, indent=1)
    )


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for part in node.get("Plans", ()):
        yield from _nodes(part)


def _read(node: dict[str, Any]) -> float:
    removed = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    return (node["Actual Rows"] + sum(node.get(name, 0) for name in removed)) * node["Actual Loops"]


def threads(**changes: Any) -> ThreadQuery:
    nothing = {"state": None, "assignee": None, "text": None, "unread": False, "before": None, "limit": 50}
    return ThreadQuery(**{"shop": SHOP, **nothing, **changes})


async def test_mails_of_a_state_or_a_template_are_read_from_an_index(many: Desk) -> None:
    for requested, index in (
        (Query(shop=SHOP, state="failed", limit=50), "effect_in_trouble"),
        (Query(shop=SHOP, state="discarded", limit=50), "effect_discarded"),
        (Query(shop=SHOP, state="withdrawn", limit=50), "mail_end_by_state"),
        (Query(shop=SHOP, state="done", limit=50), "mail_by_shop"),
        (Query(shop=SHOP, template="refund_made", limit=50), "mail_by_template"),
        (Query(shop=SHOP, template="order_recap", limit=50), "mail_by_shop"),
    ):
        found = await plan(many, *mails_sql(requested))
        assert index in found.indexes, found.shown
        assert found.rows < MOST_ROWS, found.shown


async def test_a_search_in_conversations_reads_no_message_that_lacks_the_words(many: Desk) -> None:
    word = await many.fetchval("SELECT substr(md5(order_id::text), 1, 12) FROM thread LIMIT 1")
    found = await plan(many, *threads_sql(threads(text=word)))
    by = {f"addressee_with_thread_by_{name}" for name in ("code", "email", "name")}
    assert {"message_by_words", *by} <= found.indexes, found.shown
    assert found.rows < MOST_ROWS, found.shown


async def test_without_the_index_of_words_all_messages_would_be_read(many: Desk) -> None:
    """The other tests can fail: a plan without its index reads more than they allow."""
    word = await many.fetchval("SELECT substr(md5(order_id::text), 1, 12) FROM thread LIMIT 1")
    await many.hub.pool.execute("DROP INDEX message_by_words")
    assert (await plan(many, *threads_sql(threads(text=word)))).rows > 6000


async def test_a_word_of_every_message_is_found_among_the_latest(many: Desk) -> None:
    found = await plan(many, *threads_sql(threads(text="bougie")))
    assert "thread_by_time" in found.indexes, found.shown
    assert found.rows < MOST_ROWS, found.shown


async def test_a_persons_conversations_are_read_from_an_index(many: Desk) -> None:
    found = await plan(many, *threads_sql(threads(assignee="lea")))
    assert "thread_by_assignee" in found.indexes, found.shown
    assert found.rows < MOST_ROWS, found.shown
