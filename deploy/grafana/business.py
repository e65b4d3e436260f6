"""Business: how sales, money and mails go. For the people of a shop, and for the first question of every incident:
do customers notice?"""

from deploy.grafana.building import Dashboard, Row, Variable
from deploy.grafana.panels import Panel, Query, Stat
from deploy.grafana.queries import add, increase, largest, of, per_hour, quantile, rate

SHOP = 'shop=~"$shop"'
HOUR = "1h"
STATES = "comptoir_order_states_entered_total"
REFUSED = "comptoir_submissions_refused_total"
AMOUNTS = "comptoir_ledger_amount_total"
EFFECTS = "comptoir_effects_total"
NOT_REFUSED = "the series begins with the first refused submission"
NOT_SHOPS = "Of all shops: the series has no shop."


def _amounts(kind: str) -> str:
    return add(increase(AMOUNTS, SHOP, f'kind="{kind}"'), "currency")


def _total(title: str, description: str, expression: str, may_be_empty: str = "") -> Stat:
    queries = [Query(expression, title, may_be_empty)]
    return Stat(title, description, "short", queries, over_range=True, decimals=0)


_SALES = Row(
    "Sales in the time shown",
    [
        _total(
            "Ready for work",
            "Orders that became ready: paid, to be paid on site, or begun by staff.",
            add(increase(STATES, SHOP, 'state="ready"')),
        ),
        _total(
            "Awaiting payment",
            "Orders that entered this state: placed, and not paid yet. Not how many are in it now.",
            add(increase(STATES, SHOP, 'state="awaiting_payment"')),
        ),
        _total(
            "Begun to ship",
            "Orders of which the first goods left.",
            add(increase(STATES, SHOP, 'state="processing"')),
        ),
        _total(
            "Completed",
            "Orders of which everything reached the customer and nothing is owed.",
            add(increase(STATES, SHOP, 'state="completed"')),
        ),
        _total(
            "Cancelled",
            "Orders of which nothing is needed any more.",
            add(increase(STATES, SHOP, 'state="cancelled"')),
        ),
        _total(
            "Reasons of refusals",
            "Submissions that were refused, once per reason. The storefront was sent each reason; they are listed "
            "under Refused sales in the back office.",
            add(increase(REFUSED, SHOP)),
            NOT_REFUSED,
        ),
        Panel(
            "Orders by state per hour",
            "Orders that entered each state. No new orders at an hour that usually has some: look at Messaging, then "
            "ask the storefront.",
            "short",
            [Query(per_hour(add(rate(STATES, SHOP), "state")), "{{state}}")],
            step=HOUR,
            stacked=True,
        ),
        Panel(
            "Refusals by reason per hour",
            "A sudden rise of one reason is mostly a new version of a storefront. The README of orders explains "
            "each reason.",
            "short",
            [Query(per_hour(add(rate(REFUSED, SHOP), "reason")), "{{reason}}", NOT_REFUSED)],
            step=HOUR,
            stacked=True,
        ),
    ],
)

_WAITING = Row(
    "How long customers wait",
    [
        Panel(
            "From placing to full payment",
            "Half of the orders and nine of ten were paid within this time, by payment method. Cards take seconds; "
            f"hours mean that webhooks are late: look at Outbox and webhooks. {NOT_SHOPS}",
            "s",
            [
                Query(quantile(0.5, "comptoir_order_paid_seconds", "method"), "{{method}}, half"),
                Query(quantile(0.9, "comptoir_order_paid_seconds", "method"), "{{method}}, nine of ten"),
            ],
            step=HOUR,
        ),
        Panel(
            "From placing to the last shipment",
            f"Half of the orders and nine of ten had left in full within this time. {NOT_SHOPS}",
            "s",
            [
                Query(quantile(0.5, "comptoir_order_shipped_seconds"), "half"),
                Query(quantile(0.9, "comptoir_order_shipped_seconds"), "nine of ten"),
            ],
            step=HOUR,
        ),
    ],
)

_MONEY = Row(
    "Money in the time shown, in units of each currency",
    [
        Stat(
            "Received",
            "Payments posted to the ledger, with what was reversed since not subtracted.",
            "locale",
            [Query(_amounts("payment_received"), "{{currency}}")],
            width=6,
            over_range=True,
            decimals=2,
        ),
        Stat(
            "Refunded",
            "Refunds that reached customers: a provider reported them, or staff confirmed them.",
            "locale",
            [Query(_amounts("refund_paid"), "{{currency}}", "nothing was refunded")],
            width=6,
            over_range=True,
            decimals=2,
        ),
        Stat(
            "Disputed",
            "Money that customers' banks took back for a dispute. Each needs an answer before its deadline.",
            "locale",
            [Query(_amounts("disputed"), "{{currency}}", "nothing was disputed")],
            width=4,
            over_range=True,
            decimals=2,
        ),
        Stat(
            "Disputes about to pass their deadline",
            "Disputes without an answer whose deadline is near. Answer them at the provider; Payments > Disputes "
            f"lists them. {NOT_SHOPS}",
            "short",
            [Query(largest(of("comptoir_disputes_due_soon")), "disputes")],
            width=4,
            warning=1,
        ),
        Stat(
            "Next deadline of a dispute",
            f"When the next dispute without an answer is lost. {NOT_SHOPS}",
            "dateTimeFromNow",
            [
                Query(
                    f"1000 * min({of('comptoir_dispute_deadline_timestamp_seconds')} > 0)",
                    "deadline",
                    "no dispute waits for an answer",
                )
            ],
        ),
        Panel(
            "Received and refunded per hour",
            "Amounts posted to the ledger, by currency.",
            "locale",
            [
                Query(
                    per_hour(add(rate(AMOUNTS, SHOP, 'kind="payment_received"'), "currency")),
                    "{{currency}} received",
                ),
                Query(
                    per_hour(add(rate(AMOUNTS, SHOP, 'kind="refund_paid"'), "currency")),
                    "{{currency}} refunded",
                    "nothing was refunded",
                ),
            ],
            step=HOUR,
        ),
        Panel(
            "Other entries of the ledger per hour",
            "Reversed payments, marked and failed refunds, credits, disputes, fees and transfers between orders, by "
            "kind and currency.",
            "locale",
            [
                Query(
                    per_hour(
                        add(
                            rate(
                                AMOUNTS,
                                SHOP,
                                'kind!~"payment_received|refund_paid|order_total"',
                            ),
                            "kind",
                            "currency",
                        )
                    ),
                    "{{kind}}, {{currency}}",
                    "only some payments have such entries",
                )
            ],
            step=HOUR,
        ),
    ],
)

_NOTIFICATIONS = Row(
    "What customers and providers were told",
    [
        Panel(
            "Mails by outcome per hour",
            "Done: the mail server accepted it. Failed: it never will be sent. Uncertain: nobody can know, and "
            f"staff decide under Mails in the back office. {NOT_SHOPS}",
            "short",
            [Query(per_hour(add(rate(EFFECTS, 'kind="mail"'), "outcome")), "{{outcome}}")],
            step=HOUR,
            stacked=True,
        ),
        Panel(
            "Mails that did not arrive",
            "Mails that came back, mails that were not sent since their address does not exist, and recaps that wait "
            f"for the invoice of their order. {NOT_SHOPS}",
            "short",
            [
                Query(largest(of("comptoir_mail_ends"), "state"), "{{state}}"),
                Query(largest(of("comptoir_mails_held")), "waiting for an invoice"),
            ],
        ),
        Panel(
            "Webhooks by end per hour",
            "Applied: it changed an order's money. Duplicate and irrelevant ones change nothing, waiting ones continue "
            "with their order, parked ones need a person. None at all, while customers pay by card: look at Outbox and "
            f"webhooks. {NOT_SHOPS}",
            "short",
            [
                Query(
                    per_hour(add(rate("comptoir_webhooks_ended_total"), "provider", "state")),
                    "{{provider}}, {{state}}",
                )
            ],
            width=24,
            step=HOUR,
            stacked=True,
        ),
    ],
)

DASHBOARD = Dashboard(
    "business",
    "Business",
    "How sales, money and mails go: orders by state, how long customers wait, amounts, refusals.",
    ("comptoir_dispatch_rows",),
    [_SALES, _WAITING, _MONEY, _NOTIFICATIONS],
    [Variable("shop", "Shop", (STATES,))],
    since="now-24h",
)
