"""All SQL on remarks. Their accounts are locked by whoever calls."""

from collections.abc import Sequence

from services.chassis.storage.database import Connection
from services.chassis.storage.writing import Writer
from services.payments.accounts.account import Account
from services.payments.accounts.remarks import Remark, Topic


async def read_remarks(connection: Connection, accounts: Sequence[Account]) -> None:
    """Fill in all remarks of these accounts."""
    by_key = {(account.shop, account.id): account for account in accounts}
    rows = await connection.fetch(
        """SELECT r.* FROM remark r JOIN unnest($1::text[], $2::uuid[]) AS k (shop, order_id)
               USING (shop, order_id)""",
        [shop for shop, _ in by_key],
        [order_id for _, order_id in by_key],
    )
    for row in rows:
        by_key[row["shop"], row["order_id"]].remarks.append(
            Remark(
                Topic(row["topic"]),
                row["provider"],
                row["object_id"],
                row["payment"],
                row["state"],
                row["amount_minor"],
                row["occurred_at"],
            )
        )
    for account in accounts:
        account.remarks_stored = len(account.remarks)


async def append_remarks(connection: Writer, accounts: Sequence[Account]) -> None:
    """The new remarks of locked accounts."""
    rows = [
        (a.shop, a.id, r.topic, r.provider, r.object_id, r.payment, r.state, r.amount_minor, r.occurred_at)
        for a in accounts
        for r in a.new_remarks
    ]
    if not rows:
        return
    await connection.execute(
        """INSERT INTO remark (shop, order_id, topic, provider, object_id, payment, state, amount_minor, occurred_at)
           SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
               $8::bigint[], $9::timestamptz[])""",
        *(list(column) for column in zip(*rows, strict=True)),
    )
