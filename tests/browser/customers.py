"""Messages of customers to a running Comptoir."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from contracts.envelope import uuid7
from contracts.notifier.conversation import AuthorRole, Channel
from services.chassis.testing import Desk, settings_for_tests
from services.notifier.conversation.needs import ConversationNeeds
from services.notifier.conversation.posting import post
from services.notifier.conversation.thread import Message, written
from services.notifier.conversation.unit import ConversationUnit
from services.notifier.handlers import subscribers
from services.notifier.mails.settings import NotifierSettings, shop_directory
from tests.browser.running_system import OwnShop


async def write_as_customer(shop: OwnShop, order_id: str, text: str) -> None:
    """Post a customer's message in the notifier's database, as the customer's page does; the running notifier
    publishes it.
    """
    known = [
        {"shop": shop.name, "name": shop.name, "merchant_email": shop.merchant, "from_email": shop.merchant}
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPTOIR_SHOPS", json.dumps(known))
        shop_directory.cache_clear()
        settings = settings_for_tests(NotifierSettings, shop.system.databases["notifier"])
        await _post(await Desk(subscribers, settings).open(), shop, order_id, text)
    shop_directory.cache_clear()


async def _post(desk: Desk, shop: OwnShop, order_id: str, text: str) -> None:
    try:
        async with desk.unit() as unit:
            work, key = ConversationUnit(unit), (shop.name, UUID(order_id))
            await work.load(ConversationNeeds(recipients={key}, threads={key}))
            recipient = work.recipient(*key)
            assert recipient is not None
            message = Message(
                message_id=uuid7(),
                author_role=AuthorRole.CUSTOMER,
                author=recipient.name,
                via=Channel.PAGE,
                posted_at=datetime.now(UTC),
                segments=written(text),
            )
            post(work, recipient, message)
            await work.save()
    finally:
        await desk.close()
