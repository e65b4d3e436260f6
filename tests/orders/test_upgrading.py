"""During an upgrade processes of the version before run beside new ones, on the tables as they are now."""

from contracts.envelope import uuid7
from tests.conftest import Desks

AS_BEFORE = """INSERT INTO refusal
                   (shop, submission_id, module, idempotency_key, source_reference, reasons, body, refused_at)
               VALUES ('maison', $1, 'shop', 'k-1', NULL, '[]', '{}', now()) ON CONFLICT DO NOTHING"""


async def test_a_process_of_the_version_before_keeps_each_sale_that_it_refuses(desks: Desks) -> None:
    desk = await desks("orders")
    ids = [uuid7(), uuid7()]
    for submission_id in ids:
        await desk.hub.pool.execute(AS_BEFORE, submission_id)
    assert {row["submission_id"] for row in await desk.fetch("SELECT submission_id FROM refusal")} == set(ids)
