"""What is done with each kind of a provider's lists."""

from collections.abc import Mapping

from services.payments.reconciliation.events import compare_events
from services.payments.reconciliation.money import compare_money
from services.payments.reconciliation.payouts import compare_payouts
from services.payments.reconciliation.running import Comparison

COMPARISONS: Mapping[str, Comparison] = {
    "events": compare_events,
    "money": compare_money,
    "payouts": compare_payouts,
}
"""By kind of list, as `reconcile_run` names it."""
