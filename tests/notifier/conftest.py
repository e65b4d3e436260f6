"""What the notifier's tests share: a mail server, and the shops in the environment."""

import json
from collections.abc import AsyncIterator, Iterator

import pytest

from services.notifier.mails.settings import shop_directory
from tests.notifier.builders import a_shop
from tests.notifier.mail_server import MailServer


@pytest.fixture
async def mail_server() -> AsyncIterator[MailServer]:
    """A mail server that listens."""
    server = await MailServer().open()
    yield server
    await server.close()


@pytest.fixture(autouse=True)
def shops(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The one shop, as a process finds it in its environment."""
    monkeypatch.setenv("COMPTOIR_SHOPS", json.dumps([a_shop().model_dump(mode="json", exclude_none=True)]))
    shop_directory.cache_clear()
    yield
    shop_directory.cache_clear()
