"""Outbox and webhooks: messages to the broker, effects, webhooks, and the comparison with the providers' lists."""

from deploy.grafana.building import Dashboard, Row, Variable
from deploy.grafana.panels import Bars, Panel, Query, Stat
from deploy.grafana.queries import add, increase, largest, of, quantile, rate

SERVICE = 'service=~"$service"'
ROWS, AGE, REFUSED = "comptoir_dispatch_rows", "comptoir_dispatch_oldest_seconds", "comptoir_dispatch_refused"
REACHED = "comptoir_reconcile_reached_timestamp_seconds"
FAILURES = "the broker confirmed every message"
UNWANTED = "no mail was refused because of its sender"
POSTS = "the series begins with the first post"
LISTS = "lists are compared only where an endpoint has an API key"

_NOW = Row(
    "Now",
    [
        Stat(
            "Oldest unpublished message",
            "Age of the oldest message in any outbox. Above a minute: the broker is unavailable, blocks publishers "
            "(memory or disk), or no process of the service runs.",
            "s",
            [Query(largest(of(AGE, SERVICE)), "age")],
            warning=60,
        ),
        Stat(
            "Unpublished messages",
            "Messages in all outboxes. Nothing is lost: they are published once the broker confirms again.",
            "short",
            [Query(add(largest(of(ROWS, SERVICE), "service")), "messages")],
        ),
        Stat(
            "Refused by the broker",
            "Messages that the broker permanently refuses: no binding, no right, too large. They stay in the outbox; "
            "run comptoir topology diff.",
            "short",
            [Query(add(largest(of(REFUSED, SERVICE), "service")), "messages")],
            warning=1,
        ),
        Stat(
            "Uncertain effects",
            "Mails and refunds of which nobody can know whether they were done. Staff decide on each in the back "
            "office.",
            "short",
            [
                Query(
                    add(largest(of("comptoir_effect_rows", SERVICE, 'state="uncertain"'), "service", "kind")),
                    "effects",
                )
            ],
            warning=1,
        ),
        Stat(
            "Providers' lists compared until",
            "The oldest moment until when a provider's own list was compared with the ledger. Webhooks that were lost "
            "before it were found.",
            "dateTimeFromNow",
            [Query(f"1000 * min({of(REACHED)})", "until", LISTS)],
        ),
        Stat(
            "Secret of webhooks",
            "Webhooks signed with the second newest secret, in the time shown. At 0 the old secret can be ended.",
            "short",
            [
                Query(
                    add(increase("comptoir_webhook_secret_used_total", 'secret!="1"')),
                    "old secret",
                    "each endpoint has one secret",
                )
            ],
            over_range=True,
            decimals=0,
        ),
    ],
)

_OUTBOX = Row(
    "Outbox: messages to the broker",
    [
        Panel(
            "Age of the oldest message",
            "By service. A rising line is a service that publishes nothing.",
            "s",
            [Query(largest(of(AGE, SERVICE), "service"), "{{service}}")],
            warning=60,
        ),
        Panel(
            "Messages in the outbox",
            "By service: unpublished, and refused by the broker.",
            "short",
            [
                Query(largest(of(ROWS, SERVICE), "service"), "{{service}}"),
                Query(largest(of(REFUSED, SERVICE), "service"), "{{service}}, refused"),
            ],
        ),
        Panel(
            "Published",
            "Messages that the broker confirmed, by service.",
            "ops",
            [Query(add(rate("comptoir_messages_published_total", SERVICE), "service"), "{{service}}")],
        ),
        Panel(
            "Publish to confirm, 95 %",
            "Time of a batch, by service. The broker's disk decides it: quorum queues confirm what is written.",
            "s",
            [
                Query(
                    quantile(0.95, "comptoir_confirm_seconds", "service", matchers=(SERVICE,)), "{{service}}"
                )
            ],
        ),
        Panel(
            "Publishes to be repeated",
            "By service and reason. They are repeated by themselves; a steady rate is a broken route or a sick broker.",
            "ops",
            [
                Query(
                    add(rate("comptoir_publishes_failed_total", SERVICE), "service", "why"),
                    "{{service}}, {{why}}",
                    FAILURES,
                )
            ],
            width=24,
        ),
    ],
)

_EFFECTS = Row(
    "Effects: mails, refunds and documents",
    [
        Panel(
            "Effects by outcome",
            "Per service and kind. Retry: retried automatically. Failed and uncertain ones need an operator.",
            "ops",
            [
                Query(
                    add(rate("comptoir_effects_total", SERVICE), "service", "kind", "outcome"),
                    "{{service}} {{kind}}, {{outcome}}",
                )
            ],
        ),
        Panel(
            "Effects that have not ended well",
            "By service, kind and state. Planned ones are done when due; failed and uncertain ones need a person.",
            "short",
            [
                Query(
                    largest(of("comptoir_effect_rows", SERVICE), "service", "kind", "state"),
                    "{{service}} {{kind}}, {{state}}",
                )
            ],
        ),
        Panel(
            "Age of effects that have not ended",
            "By service and kind: since it was planned, and since its next attempt fell due. One that is begun again "
            "and again grows old; one that stays due is not begun.",
            "s",
            [
                Query(
                    largest(of("comptoir_effect_oldest_seconds", SERVICE), "service", "kind"),
                    "{{service}} {{kind}}",
                ),
                Query(
                    largest(of("comptoir_effect_due_seconds", SERVICE), "service", "kind"),
                    "{{service}} {{kind}}, due",
                ),
            ],
        ),
        Bars(
            "Mails refused because of the sender, in the time shown",
            "Block lists, spam, SPF, DKIM, DMARC, by shop: the sender's domain or the mail server has a bad name.",
            "short",
            [
                Query(
                    add(increase("comptoir_mails_refused_as_unwanted_total"), "shop"),
                    "{{shop}}",
                    UNWANTED,
                ),
                Query(
                    add(increase("comptoir_reputation_alarms_total"), "shop"),
                    "{{shop}}, alarms to its owner",
                    UNWANTED,
                ),
            ],
        ),
        Panel(
            "Shops whose mails are refused because of the sender",
            "Within the last day. Stop mass mails, and look at the reasons under Mails in the back office.",
            "short",
            [Query(largest(of("comptoir_shops_refused_as_unwanted")), "shops")],
            warning=1,
            decimals=0,
        ),
    ],
)

_WEBHOOKS = Row(
    "Webhooks of payment providers",
    [
        Panel(
            "Received",
            "Webhooks stored, and repeats of stored ones, by endpoint. Silence while customers pay by card: look at "
            "the endpoint at the provider.",
            "ops",
            [
                Query(
                    add(rate("comptoir_webhooks_received_total"), "endpoint", "outcome"),
                    "{{endpoint}}, {{outcome}}",
                )
            ],
        ),
        Panel(
            "Refused",
            "Posts that were rejected unread, by endpoint and reason. Bad signatures: a wrong secret, or a stranger.",
            "ops",
            [
                Query(
                    add(rate("comptoir_webhooks_refused_total"), "endpoint", "reason"),
                    "{{endpoint}}, {{reason}}",
                    POSTS,
                )
            ],
        ),
        Panel(
            "Ended",
            "Webhooks by how they ended, by provider, each time they were read.",
            "ops",
            [
                Query(
                    add(rate("comptoir_webhooks_ended_total"), "provider", "state"),
                    "{{provider}}, {{state}}",
                )
            ],
        ),
        Panel(
            "Unread, waiting and parked",
            "Unread ones are read at once; many mean that payments is stuck. Waiting ones name an order that is not "
            "known yet. Parked ones need a person.",
            "short",
            [Query(largest(of("comptoir_webhooks"), "state"), "{{state}}")],
        ),
        Panel(
            "Age of the oldest unread, waiting or parked webhook",
            "By state. Unread ones older than a minute: payments is down or stuck.",
            "s",
            [Query(largest(of("comptoir_webhooks_oldest_seconds"), "state"), "{{state}}")],
        ),
        Panel(
            "Time to store, 95 %",
            "From the last byte to the commit, by endpoint. Providers give up after some seconds.",
            "s",
            [Query(quantile(0.95, "comptoir_webhook_store_seconds", "endpoint"), "{{endpoint}}")],
        ),
        Bars(
            "Found only in providers' lists, in the time shown",
            "Events that no webhook brought, by provider and kind, and comparisons that the provider's API prevented. "
            "Found ones were applied; many mean that webhooks are lost.",
            "short",
            [
                Query(
                    add(increase("comptoir_reconcile_found_total"), "provider", "kind"),
                    "{{provider}} {{kind}}, found",
                    LISTS,
                ),
                Query(
                    add(increase("comptoir_reconcile_failed_total"), "provider", "kind"),
                    "{{provider}} {{kind}}, failed",
                    "every comparison succeeded",
                ),
            ],
        ),
        Panel(
            "Disputes",
            "By state, and lost ones of which nobody has decided who bears the loss.",
            "short",
            [
                Query(largest(of("comptoir_disputes"), "state"), "{{state}}", "there are no disputes"),
                Query(largest(of("comptoir_disputes_unresolved")), "lost, undecided"),
            ],
        ),
        Panel(
            "Differences between ledger and providers' lists",
            "That nobody has resolved: money only in their list, only in ours, or with another amount. Payments > "
            "Reconciliation in the back office lists them.",
            "short",
            [Query(largest(of("comptoir_reconcile_findings"), "side"), "{{side}}")],
            warning=1,
            decimals=0,
        ),
    ],
)

DASHBOARD = Dashboard(
    "outbox",
    "Outbox and webhooks",
    "What leaves Comptoir and what payment providers bring: outboxes, effects, webhooks, reconciliation.",
    ("comptoir_dispatch_rows",),
    [_NOW, _OUTBOX, _EFFECTS, _WEBHOOKS],
    [Variable("service", "Service", ("comptoir_dispatch_rows",))],
)
