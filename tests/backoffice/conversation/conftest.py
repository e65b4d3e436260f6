"""What the tests of the conversation's pages share."""

from collections.abc import AsyncIterator

import pytest

from services.notifier.mails.settings import shop_directory
from tests.backoffice.conftest import Backoffices
from tests.backoffice.conversation.mail_system import MailSystem, a_mail_system
from tests.conftest import Desks
from tests.notifier.conftest import shops

__all__ = ["shops"]


@pytest.fixture
async def mail_system(backoffices: Backoffices, desks: Desks) -> AsyncIterator[MailSystem]:
    """A back office with the notifier behind it."""
    shop_directory.cache_clear()
    async with a_mail_system(backoffices, desks) as opened:
        yield opened
