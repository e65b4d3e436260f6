"""The assembly of the parts of payments in a process."""

from starlette.applications import Starlette

from services.chassis.background.working import Worker
from services.chassis.runtime.hub import Hub
from services.chassis.runtime.running import Service
from services.payments import api
from services.payments.accounts.unit.unit import UNMATCHED_TIMER, AccountUnit
from services.payments.handlers import subscribers
from services.payments.refunds.sending import RefundSender
from services.payments.settings import PaymentsSettings
from services.payments.webhooks import retention
from services.payments.webhooks.applying import WORKER, apply_webhooks, report_unmatched
from services.payments.webhooks.receiving import Receiver
from services.payments.webhooks.refusals import Refusals

IDLE_SECONDS = 1.0
"""The interval at which the worker looks without a notification: for webhooks another process stored."""


def service() -> Service:
    """Return the service, ready to run."""
    refusals = Refusals()

    def build_app(hub: Hub) -> Starlette:
        assert isinstance(hub.settings, PaymentsSettings)

        def wake_worker() -> None:
            hub.nudge(WORKER)

        AccountUnit.on_woken = staticmethod(wake_worker)
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
