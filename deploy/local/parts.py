"""Parts Comptoir runs on, for the demo and the tests: a PostgreSQL and a RabbitMQ, private unless named.

with started_parts(Path("var/demo")) as parts:
    parts.postgres.admin_url, parts.rabbitmq.amqp_url
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.postgres import Postgres, start_postgres
from deploy.local.rabbitmq import RabbitMQ, start_rabbitmq

__all__ = ["Parts", "Postgres", "RabbitMQ", "start_postgres", "start_rabbitmq", "started_parts"]


@dataclass(frozen=True)
class Parts:
    """Both servers, running."""

    postgres: Postgres
    rabbitmq: RabbitMQ


@contextmanager
def started_parts(folder: Path) -> Iterator[Parts]:
    """Start both side by side in `folder`/postgres and `folder`/rabbitmq; end them however the body ends."""
    with ThreadPoolExecutor(2) as pool:
        broker = pool.submit(start_rabbitmq, folder / "rabbitmq")
        database = pool.submit(start_postgres, folder / "postgres")
    try:
        yield Parts(database.result(), broker.result())
    finally:
        for started in (broker, database):
            if started.exception() is None:
                started.result().stop()
