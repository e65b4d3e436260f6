"""Payments' FastStream application: `faststream run services.payments.app:app`."""

from starlette.applications import Starlette

from services.chassis.background.workers import Worker
from services.chassis.messaging.erasure import erasing
from services.chassis.messaging.erasure.store import TIMER as ERASURE
from services.chassis.runtime.application import application
from services.chassis.runtime.hub import Hub
from services.chassis.runtime.service import Service
from services.payments import api, measuring
from services.payments.accounts.unit.publication import DISPUTE_TIMER, MARK_TIMER
from services.payments.accounts.unit.unit import UNMATCHED_TIMER, AccountUnit
from services.payments.closings import chaining, closing, verifying
from services.payments.disputes import watching
from services.payments.endpoints import loading
from services.payments.erasing import ERASEABLE
from services.payments.handlers import subscribers
from services.payments.invoices import retention as sale_retention
from services.payments.invoices.drawing import PdfMaker
from services.payments.invoices.issuing.worker import invoicing_worker
from services.payments.invoices.rendering.process import Renderer
from services.payments.reconciliation.comparisons import COMPARISONS
from services.payments.reconciliation.running import Reconciler
from services.payments.refunds import overdue
from services.payments.refunds.sending import RefundSender
from services.payments.settings import PaymentsSettings
from services.payments.webhooks import retention, subscriptions
from services.payments.webhooks.applying import apply_webhooks
from services.payments.webhooks.reading import WORKER, WebhookReader
from services.payments.webhooks.receiving import Receiver
from services.payments.webhooks.refusals import Refusals
from services.payments.webhooks.waiting_webhooks import report_unmatched

IDLE_SECONDS = 1.0
"""The interval at which the worker polls without a notification: for webhooks another process stored."""


def service() -> Service:
    """Return the service, ready to run."""
    refusals, renderer = Refusals(), Renderer()

    def build_app(hub: Hub) -> Starlette:
        assert isinstance(hub.settings, PaymentsSettings)

        def wake_worker() -> None:
            hub.nudge(WORKER)

        AccountUnit.on_woken = staticmethod(wake_worker)
        return api.build(hub, Receiver(hub, hub.settings, refusals, wake_worker), renderer)

    return Service(
        name="payments",
        settings=PaymentsSettings,
        subscribers=subscribers,
        app=build_app,
        workers=[
            Worker(WORKER, apply_webhooks, IDLE_SECONDS),
            Worker(loading.WORKER, loading.load_endpoints, loading.IDLE_SECONDS),
            Worker("refusals", refusals.write, 2.0),
            Worker(measuring.WORKER, measuring.measure, measuring.IDLE_SECONDS),
            Worker(watching.WORKER, watching.watch_disputes, watching.IDLE_SECONDS),
            Worker(chaining.WORKER, chaining.chain_entries, chaining.IDLE_SECONDS),
            Worker(closing.WORKER, closing.close_days, closing.IDLE_SECONDS),
        ],
        timers={
            UNMATCHED_TIMER: report_unmatched,
            DISPUTE_TIMER: watching.warn_of_deadline,
            MARK_TIMER: overdue.warn_of_mark,
            ERASURE: erasing.timer(ERASEABLE),
        },
        retention=(*retention.RULES, *sale_retention.RULES),
        prepare=lambda hub: [
            RefundSender(hub).worker(),
            WebhookReader(hub).worker(),
            PdfMaker(hub, renderer).worker(),
            Reconciler(hub, COMPARISONS).worker(),
            invoicing_worker(),
        ],
        commands={"verify": verifying.main, subscriptions.COMMAND: subscriptions.main},
    )


SERVICE = service()
app = application(SERVICE)
