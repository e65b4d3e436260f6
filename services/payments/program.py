"""How the parts of payments are put together in a process."""

from starlette.applications import Starlette

from services.chassis.hub import Hub
from services.chassis.running import Service
from services.chassis.working import Worker
from services.payments import api, retention
from services.payments.applying import WORKER, apply_webhooks, report_unmatched
from services.payments.book import UNMATCHED_TIMER, AccountBook
from services.payments.refusals import Refusals
from services.payments.sending_refunds import RefundSender
from services.payments.settings import PaymentsSettings
from services.payments.subscribers import subscribers
from services.payments.webhooks import Receiver

IDLE_SECONDS = 1.0
"""How often the worker looks without having been nudged: for webhooks another process stored."""


def service() -> Service:
    """The service, ready to run."""
    refusals = Refusals()

    def build_app(hub: Hub) -> Starlette:
        assert isinstance(hub.settings, PaymentsSettings)

        def wake_worker() -> None:
            hub.nudge(WORKER)

        AccountBook.on_woken = staticmethod(wake_worker)
        return api.build(hub, Receiver(hub, hub.settings, refusals, wake_worker))

    return Service(
        name="payments",
        settings=PaymentsSettings,
        subscribers=subscribers,
        app=build_app,
        workers=[
            Worker(WORKER, apply_webhooks, IDLE_SECONDS),
            Worker("refusals", refusals.write, 2.0),
        ],
        timers={UNMATCHED_TIMER: report_unmatched},
        retention=retention.RULES,
        prepare=lambda hub: [RefundSender(hub).worker()],
    )
