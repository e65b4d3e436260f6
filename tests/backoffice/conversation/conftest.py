"""What the tests of the conversation's pages share."""

from collections.abc import AsyncIterator

import pytest

from services.notifier.mails.settings import shop_directory
from tests.backoffice.conftest import Backoffices
from tests.backoffice.conversation.postoffice import PostOffice, a_post_office
from tests.conftest import Desks
from tests.notifier.conftest import shops

__all__ = ["shops"]


@pytest.fixture
async def office(backoffices: Backoffices, desks: Desks) -> AsyncIterator[PostOffice]:
    """A back office with the notifier behind it."""
    shop_directory.cache_clear()
    async with a_post_office(backoffices, desks) as opened:
        yield opened
