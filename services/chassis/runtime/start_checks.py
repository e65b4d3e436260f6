"""Checks at the start of a process: a dependency that answers but can't be used ends it with a sentence.

Waiting helps when a dependency does not answer; the process then waits, as it does later. It does not help against a
certificate that can't be trusted, refused credentials, missing rights or a schema of another version.
"""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aio_pika
import asyncpg
import structlog
from aiormq.exceptions import (
    AMQPError,
    AuthenticationError,
    ChannelAccessRefused,
    ChannelNotFoundEntity,
    ConnectionNotAllowed,
    InvalidFrameError,
    ProbableAuthenticationError,
)

from services.chassis.given_settings import variable_of
from services.chassis.limits import within
from services.chassis.messaging.topology import dead_queue_of
from services.chassis.settings import ServiceSettings
from services.chassis.storage.schema_check import compare_schema, forbidden_tables
from services.chassis.tls import Peer, trusting, why_untrusted

log = structlog.get_logger()
SECONDS = 5.0
DATABASE = Peer("PostgreSQL", "COMPTOIR_DATABASE_URL", "COMPTOIR_DATABASE_CA_FILE")
BROKER = Peer("RabbitMQ", "COMPTOIR_AMQP_URL", "COMPTOIR_AMQP_CA_FILE", "COMPTOIR_AMQP_CERTIFICATE_FILE")
UNROUTED_KEY = "comptoir.start-check"
"""Routing key that no queue is bound by: the broker checks the right to write, and returns the message."""


class StartRefused(Exception):
    """The process can't work with what it was given; the text is a sentence with the setting and the remedy."""


async def check_database(settings: ServiceSettings, program: str, folders: Iterable[Path]) -> None:
    """Check the connection, the schema's version and the role's rights. Raises StartRefused, and the errors of a
    database that does not answer."""
    url = settings.database_url.get_secret_value()
    try:
        connection = await asyncpg.connect(url, timeout=SECONDS, command_timeout=SECONDS)
    except OSError as error:
        if refusal := refusal_of(error, DATABASE):
            raise refusal from error
        raise
    role = unquote(urlsplit(url).username or "")
    try:
        schema = await compare_schema(connection, folders)
        forbidden = await forbidden_tables(connection)
    except asyncpg.InsufficientPrivilegeError as error:
        raise StartRefused(_without_rights(role, str(error))) from error
    finally:
        connection.terminate()
    if forbidden:
        raise StartRefused(
            _without_rights(role, f"it may not read and write {len(forbidden)} tables, first {forbidden[0]}")
        )
    if schema.pending:
        raise StartRefused(
            f"the database of COMPTOIR_DATABASE_URL is older than this program: pending migrations: "
            f"{len(schema.pending)}, first {schema.pending[0]}; run `python -m {program} migrate`"
        )
    if schema.unknown_after:
        raise StartRefused(
            "the database of COMPTOIR_DATABASE_URL is newer than this program: `migrate --after` has ended what it may "
            f"need, last with {schema.unknown_after[-1]}; start the version that has this step"
        )
    if schema.unknown:
        log.warning(
            "the database is newer than this program; upgrade the program, unless an upgrade is under way",
            migrations=schema.unknown[-5:],
        )


def _without_rights(role: str, why: str) -> str:
    return (
        f"the role {role} of COMPTOIR_DATABASE_URL lacks rights ({why}); make it the owner of the database and its "
        "tables"
    )


async def check_broker(settings: ServiceSettings, service: str, *, consumes: bool) -> None:
    """Check the connection, and the rights to publish and to consume. Raises StartRefused; a broker that does not
    answer is waited for later, and a missing topology is reported by those who need it."""
    url = settings.amqp_url.get_secret_value()
    login, vhost = unquote(urlsplit(url).username or ""), unquote(urlsplit(url).path.removeprefix("/"))
    try:
        await within(SECONDS, _use_broker(url, service, consumes=consumes))
    except (AuthenticationError, ProbableAuthenticationError) as error:
        raise StartRefused(
            f"RabbitMQ refuses the user {login} or its password in COMPTOIR_AMQP_URL; correct it, or set the password "
            f"with `comptoir topology apply` (COMPTOIR_PASSWORD_{login.upper()})"
        ) from error
    except (ConnectionNotAllowed, InvalidFrameError) as error:  # aiormq takes the refusal for a wrong frame
        raise StartRefused(
            f"RabbitMQ has no virtual host {vhost}, or the user {login} may not enter it; correct COMPTOIR_AMQP_URL, "
            "or make both with `comptoir topology apply` (COMPTOIR_VHOST)"
        ) from error
    except ChannelAccessRefused as error:
        raise StartRefused(
            f"the user {login} of COMPTOIR_AMQP_URL lacks rights in RabbitMQ ({error}); run `comptoir topology apply` "
            f"with COMPTOIR_PASSWORD_{login.upper()}"
        ) from error
    except (AMQPError, OSError, TimeoutError, RuntimeError) as error:
        if refusal := refusal_of(error, BROKER):
            raise refusal from error


async def _use_broker(url: str, service: str, *, consumes: bool) -> None:
    """Read a dead letter, if there is one, and publish what no queue gets. A passive declaration would need no right,
    and reading a queue that does not exist is an error in the broker's log. The letter is put back; the process reads
    that queue a moment later anyway, and the broker returns letters without a limit."""
    connection = await aio_pika.connect(
        url, timeout=SECONDS, client_properties={"connection_name": f"{service} start"}
    )
    async with connection:
        if consumes:
            channel = await connection.channel()
            queue = await channel.get_queue(dead_queue_of(service), ensure=False)
            try:
                if (message := await queue.get(fail=False, timeout=SECONDS)) is not None:
                    await message.nack(requeue=True)
            except ChannelNotFoundEntity:
                log.error("the broker lacks queues; run `comptoir topology apply`", queue=queue.name)
        channel = await connection.channel()
        exchange = await channel.get_exchange(service, ensure=False)
        try:
            await exchange.publish(aio_pika.Message(b""), UNROUTED_KEY, timeout=SECONDS)
        except ChannelNotFoundEntity:
            log.error("the broker lacks exchanges; run `comptoir topology apply`", exchange=service)


async def check_services(settings: ServiceSettings) -> None:
    """Log the processes of Comptoir whose certificates can't be trusted. They are no reason to end: only what is read
    from them is missing."""
    for name, url in settings.service_urls.items():
        parts = urlsplit(url)
        if parts.scheme != "https":
            continue
        peer = Peer(name.removesuffix("_url"), variable_of(name), "COMPTOIR_SERVICES_CA_FILE")
        try:
            tls = trusting(settings.services_ca_file)
            opened = asyncio.open_connection(parts.hostname, parts.port or 443, ssl=tls)
            _, writer = await asyncio.wait_for(opened, SECONDS)
            writer.close()
        except (OSError, TimeoutError) as error:
            if why := why_untrusted(error, peer):
                log.error(why)


def refusal_of(error: BaseException, peer: Peer) -> StartRefused | None:
    """Return the refusal for an error of a connection with TLS; None for any other error."""
    why = why_untrusted(error, peer)
    return StartRefused(why) if why else None
