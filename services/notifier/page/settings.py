"""Settings of the customer's page: the notifier's, and where orders answers."""

from pydantic import Field

from services.chassis.messaging.process import Process
from services.notifier.mails.settings import NotifierSettings


class PageSettings(NotifierSettings):
    """Settings of the page's process. It has the notifier's database, and no mail server."""

    orders_url: str | None = Field(
        default=None,
        pattern=r"^https?://[A-Za-z0-9.\-\[\]:]+$",
        description="Where the orders service answers: the page shows orders from there.",
    )


def of(process: Process) -> PageSettings:
    """Return the settings of a page's process. Raises TypeError for another process."""
    settings = process.settings
    if not isinstance(settings, PageSettings):
        raise TypeError(f"this process runs with {type(settings).__name__}, not with PageSettings")
    return settings
