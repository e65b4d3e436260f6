"""The notifier's FastStream application: `faststream run services.notifier.app:app`."""

from services.chassis.background.workers import Worker
from services.chassis.messaging.erasure import erasing
from services.chassis.messaging.erasure.store import TIMER as ERASURE
from services.chassis.runtime.application import application
from services.chassis.runtime.hub import Hub
from services.chassis.runtime.service import Service
from services.notifier import measuring
from services.notifier.api import build_app
from services.notifier.conversation.filing.reading import Reader
from services.notifier.conversation.receiving.receiver import Receiver
from services.notifier.erasing import ERASEABLE
from services.notifier.handlers import subscribers
from services.notifier.links.making import LinkMaker
from services.notifier.mails import settings as configured
from services.notifier.mails.abandoned import reminding, retention
from services.notifier.mails.abandoned.reminder import TIMER as REMINDER
from services.notifier.mails.holding import releasing
from services.notifier.mails.holding.holds import TIMER as HELD_RECAP
from services.notifier.mails.settings import NotifierSettings
from services.notifier.profile.samples import preload_templates
from services.notifier.sending.bounces.ending import end_bounce
from services.notifier.sending.bounces.receiving import find_bounced
from services.notifier.sending.checking import check_mail_server
from services.notifier.sending.sending import Sender
from services.notifier.sending.trying import TrialMails


def workers(hub: Hub) -> list[Worker]:
    """Preload the templates of the usual mails. Return the workers that send mails, and test mails through the same
    connections, receive mails and read them.
    """
    preload_templates()
    sender = Sender(hub)
    found = [
        sender.worker(),
        TrialMails(hub, sender.pool).worker(),
        Reader(hub, end_bounce, LinkMaker(hub).shown_by).worker(),
    ]
    is_receiving = configured.of(hub).inbound_port is not None
    return [*found, Receiver(hub, find_bounced).worker()] if is_receiving else found


SERVICE = Service(
    name="notifier",
    settings=NotifierSettings,
    subscribers=subscribers,
    app=build_app,
    workers=[Worker(measuring.WORKER, measuring.measure, measuring.IDLE_SECONDS)],
    prepare=workers,
    retention=retention.RULES,
    checks=[check_mail_server],
    timers={
        ERASURE: erasing.timer(ERASEABLE),
        HELD_RECAP: releasing.run_out,
        REMINDER: reminding.remind,
    },
)
app = application(SERVICE)
