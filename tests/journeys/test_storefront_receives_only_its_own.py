"""A module can publish only for its own shop and receives only its own answers; the broker verifies its login."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel
from aio_pika.exceptions import AMQPError, ChannelPreconditionFailed

from contracts.envelope import Envelope, uuid7
from contracts.sale import PaymentMethod
from contracts.storefront import OrderAccepted, OrderRefused
from deploy.demo.sales.sale import Sale
from deploy.demo.sales.storefront import SUBMITTED
from deploy.samples.merchants import TRUMPET
from tests.journeys.sales import a_sale, engraving, open_day
from tests.journeys.shop import Shop


async def test_every_module_receives_only_its_own_answers(shop: Shop) -> None:
    ours = a_sale(engraving())
    events = a_sale(open_day(), method=PaymentMethod.FREE, module="events")
    theirs = a_sale(engraving(), shop=TRUMPET.shop, locale="en")
    await shop.submit(ours, events, theirs)
    for sale in (ours, events, theirs):
        assert isinstance(await shop.answer(sale), OrderAccepted)
        storefront = await shop.storefront(sale.module, sale.submission.shop)
        assert {(answer.shop, answer.module) for answer in storefront.answers.values()} == {
            (sale.submission.shop, sale.submission.module)
        }


async def test_a_merchant_sees_no_order_of_another_shop(shop: Shop) -> None:
    theirs = a_sale(engraving(), shop=TRUMPET.shop, locale="en")
    await shop.submit(theirs)
    await shop.answer(theirs)
    assert (await shop.http.get(f"/v1/orders/{theirs.event_id}")).status_code == 404
    async with shop.client("orders", shop.system.secrets.api_tokens[TRUMPET.shop]) as neighbour:
        assert (await neighbour.get(f"/v1/orders/{theirs.event_id}")).is_success


@pytest.mark.parametrize(
    ("claimed", "field"),
    [({"shop": TRUMPET.shop}, "shop"), ({"module": "events"}, "module")],
    ids=["another shop", "another module"],
)
async def test_an_order_in_anothers_name_is_refused_to_its_sender(
    shop: Shop, claimed: dict[str, str], field: str
) -> None:
    sender = await shop.storefront()
    claim = a_sale(engraving(), **{"shop": shop.name, "module": "shop", **claimed})  # type: ignore[arg-type]
    async with _channel(shop, sender.login) as channel:
        await _publish(channel, claim, sender.login)

    async def received() -> OrderRefused | OrderAccepted | None:
        return sender.answers.get(claim.event_id)

    answer = await shop.until("an answer to its sender", received)
    assert isinstance(answer, OrderRefused)
    [reason] = answer.reasons
    assert (reason.code, reason.field) == ("not_your_shop", field)
    victim = await shop.storefront(claim.module, claim.submission.shop)
    own = replace(claim, event_id=uuid7())
    await shop.submit(own)
    assert isinstance(await shop.answer(own), OrderAccepted), "the attempt must not burn its owner's key"
    assert claim.event_id not in victim.answers


async def test_the_broker_refuses_a_borrowed_name(shop: Shop) -> None:
    async with _channel(shop, (await shop.storefront()).login) as channel:
        with pytest.raises(ChannelPreconditionFailed):
            await _publish(channel, a_sale(engraving()), f"storefront.{TRUMPET.shop}.shop")


async def test_a_message_without_a_name_is_parked_with_what_to_do(shop: Shop) -> None:
    sale = a_sale(engraving())
    async with _channel(shop, (await shop.storefront()).login) as channel:
        await _publish(channel, sale, None)

    async def parked() -> dict[str, object] | None:
        rows = [row for row in await shop.parked("orders") if row["event_id"] == str(sale.event_id)]
        return rows[0] if rows else None

    row = await shop.until("a parked message without a name", parked)
    assert row["reason"] == "wrong_sender"
    assert "set it to the login" in str(row["detail"])
    await shop.order(sale)
    await shop.discard("orders", row, "sent again with its name")


async def test_a_storefront_can_read_no_other_queue_and_speak_for_no_service(shop: Shop) -> None:
    login = (await shop.storefront()).login
    for queue in (f"storefront.{TRUMPET.shop}.shop", "orders.storefront", "payments.orders"):
        async with _channel(shop, login) as channel:
            with pytest.raises(AMQPError, match="ACCESS_REFUSED"):
                await (await channel.get_queue(queue, ensure=False)).get()
    for exchange in ("orders", "payments", "public"):
        async with _channel(shop, login) as channel:
            stolen = await channel.get_exchange(exchange, ensure=False)
            with pytest.raises(AMQPError, match="ACCESS_REFUSED"):
                await stolen.publish(aio_pika.Message(b"{}"), "orders.order.placed.v1")


@asynccontextmanager
async def _channel(shop: Shop, login: str) -> AsyncIterator[AbstractChannel]:
    async with await aio_pika.connect(shop.system.amqp_url(login)) as connection:
        yield await connection.channel()


async def _publish(channel: AbstractChannel, sale: Sale, user_id: str | None) -> None:
    source = f"/storefront/{sale.submission.shop}/{sale.module}"
    envelope = Envelope(sale.event_id, source, SUBMITTED, sale.submission.submitted_at, sale.submission.shop)
    message = aio_pika.Message(
        sale.submission.model_dump_json().encode(),
        headers=dict(envelope.headers()),
        delivery_mode=2,
        user_id=user_id,
    )
    exchange = await channel.get_exchange("storefront", ensure=False)
    await exchange.publish(message, SUBMITTED)
