"""The stand-in provider signs as Stripe documents it and delivers until it is heard."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from deploy.demo.sales.orders import demo_sales
from deploy.demo.sales.sale import OnlineStory, Sale
from deploy.demo.standins.delivering import Journal, Trick
from deploy.demo.standins.provider import Provider, payment_succeeded, sign

SECRET = "whsec_of_the_test"


def card_sale() -> Sale:
    return next(
        sale for sale in demo_sales() if sale.provider == "stripe" and sale.story.online is OnlineStory.ONCE
    )


def is_signed(body: bytes, header: str, secret: str) -> bool:
    """Stripe's rule, written once more: HMAC-SHA256 over stamp, dot, body."""
    parts = dict(part.split("=", 1) for part in header.split(","))
    expected = hmac.new(secret.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, parts["v1"])


class Endpoint:
    """A real HTTP server that answers with the given statuses in turn, then 200, and keeps what it was
    sent.
    """

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.received: list[tuple[dict[str, str], bytes]] = []

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
        finally:
            server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head if line)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.received.append((headers, body))
        status = self.statuses.pop(0) if self.statuses else 200
        writer.write(f"HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()


@asynccontextmanager
async def provider(endpoint: Endpoint, folder: Path) -> AsyncIterator[Provider]:
    async with endpoint.listening() as url:
        posting = Provider(url, SECRET, Journal(folder / "webhooks.jsonl"), Random(1))
        yield posting
        await posting.close()


def test_a_signature_is_over_stamp_and_body() -> None:
    header = sign(b"{}", SECRET, 1_700_000_000)
    assert is_signed(b"{}", header, SECRET)
    assert not is_signed(b"{ }", header, SECRET)


def test_the_event_names_intent_amount_and_currency() -> None:
    sale = card_sale()
    event = json.loads(payment_succeeded(sale, Random(1)))
    intent = event["data"]["object"]
    assert event["type"] == "payment_intent.succeeded"
    assert (intent["id"], intent["amount_received"], intent["currency"]) == (
        sale.provider_reference,
        sale.total_minor,
        "eur",
    )


async def test_a_payment_is_reported_twice_as_the_same_event(tmp_path: Path) -> None:
    endpoint = Endpoint()
    async with provider(endpoint, tmp_path) as posting:
        await posting.report_payment(card_sale(), times=2)
    (first, first_body), (_, second_body) = endpoint.received
    assert first_body == second_body
    assert is_signed(first_body, first["stripe-signature"], SECRET)


async def test_it_retries_until_it_is_received(tmp_path: Path) -> None:
    endpoint = Endpoint(503, 500)
    async with provider(endpoint, tmp_path) as posting:
        await posting.report_payment(card_sale())
    assert [post.status for post in posting.journal.posts] == [503, 500, 200]
    assert len({body for _, body in endpoint.received}) == 1
    assert len((tmp_path / "webhooks.jsonl").read_text().splitlines()) == 3


async def test_its_tricks_are_not_signed_by_the_secret_or_not_now(tmp_path: Path) -> None:
    endpoint = Endpoint(400, 400, 400)
    async with provider(endpoint, tmp_path) as posting:
        statuses = [
            await posting.trick(card_sale(), trick) for trick in (Trick.FORGED, Trick.CHANGED, Trick.OLD)
        ]
    assert statuses == [400, 400, 400]
    signed = [is_signed(body, headers["stripe-signature"], SECRET) for headers, body in endpoint.received]
    assert signed == [False, False, True]
    assert len(posting.journal.rejected()) == 3
