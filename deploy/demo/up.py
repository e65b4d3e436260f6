"""`python -m deploy.demo.up`: the demo, and then everything stays up, with its addresses, until Ctrl-C."""

import asyncio
import sys

import asyncpg
from rich.console import Console
from rich.table import Table

from contracts.catalogue import SERVICES
from deploy.arguments import seconds
from deploy.demo.__main__ import command_line, script_of
from deploy.demo.addresses import ENV_FILE, noted, operator_settings, settings_noted
from deploy.demo.dressing import dress
from deploy.demo.mail.inbox.app import build_app
from deploy.demo.mail.inbox.kept_mails import KeptMails
from deploy.demo.running import Played, run
from deploy.demo.sales.storefront import login_of
from deploy.demo.script import Script
from deploy.demo.showing import Show
from deploy.demo.staff import Staff, hire
from deploy.demo.standins.serving import Server
from deploy.demo.trickle import PAUSE_SECONDS, Trickle
from deploy.local.ports import free_ports
from deploy.local.prometheus.programs import PrometheusNotFound, PrometheusPrograms, find_prometheus
from deploy.local.prometheus.watching import Watch
from deploy.local.system import BACKOFFICE, CUSTOMER_PAGE, ROOT, System
from deploy.samples.merchants import GARANCE, YOURS
from services.chassis.logs import configure_logs
from services.notifier.links.link import key_of, token_of, url_of

AUDIT_SECONDS = 15.0
"""Between two looks of the auditor, at least: it reads all of four databases and shares the machine with them."""

YOUR_LOGIN = f"you@{YOURS.profile['merchant_email'].partition('@')[2]}"
"""With which the reader signs in to the back office of a shop of their own."""


def main() -> int:
    """The command line."""
    reader = command_line("make up", "The demo, kept running.")
    reader.add_argument(
        "--every",
        type=seconds,
        metavar="SECONDS",
        default=PAUSE_SECONDS,
        help="seconds between two customers, on average (20)",
    )
    reader.add_argument(
        "--watch", action="store_true", help="run Prometheus and Alertmanager beside it (make up WATCH=1)"
    )
    given = reader.parse_args()
    if not given.every:
        reader.error("argument --every: 0 is no pause; give a number of seconds above 0")
    configure_logs("demo", "WARNING")
    show = Show()
    programs = programs_to_watch_with() if given.watch else None

    async def stay(played: Played) -> None:
        system, script, staff = played.system, played.script, played.staff
        show.step("people are let into the back office; they tag, note and archive")
        await hire(system, script.merchant.shop, staff, staff.people[1:])
        await system.add_staff(YOURS.shop, YOUR_LOGIN, staff.password, "owner", "You")
        if script.merchant is GARANCE:
            await dress(system, script, staff)
        show.step(f"the auditor scans every {AUDIT_SECONDS:g} s, or less often where a scan takes long")
        await system.start_auditor(AUDIT_SECONDS)
        watch = await watched(system, show, programs) if programs else None
        mails = KeptMails(system.mail_journal, system.mail_folder)
        app = build_app(mails, system.inbound_port, system.url(BACKOFFICE))
        async with Server(free_ports(1)[0], app) as inbox:
            link = await a_customers_link(system)
            show_addresses(
                show.console, system, script, staff, customers_link=link, inbox=inbox.url, watch=watch
            )
            with noted(system.databases), settings_noted(operator_settings(system)):
                await live_on(played, given.every, show.console)

    return run(script_of(reader, given), show, given.folder, stay, [YOURS])


def programs_to_watch_with() -> PrometheusPrograms:
    """Prometheus and Alertmanager, looked for before the demo is played. Ends the program if there are none."""
    try:
        return find_prometheus()
    except PrometheusNotFound as reason:
        sys.exit(str(reason))


async def watched(system: System, show: Show, programs: PrometheusPrograms) -> Watch:
    """Prometheus and Alertmanager beside the system; the Operations page links to them."""
    show.step("Prometheus and Alertmanager watch it")
    watch = Watch(system, programs=programs)
    await watch.start()
    await watch.link_from_the_back_office()
    return watch


async def live_on(played: Played, pause_seconds: float, console: Console) -> None:
    """Customers come until Ctrl-C."""
    system, script = played.system, played.script
    if script.merchant is GARANCE:
        console.print(
            f"A customer comes every {pause_seconds:g} s or so. Sign in at {system.url(BACKOFFICE)}"
        )
        await Trickle(system, script, played.providers, pause_seconds).run()
    await asyncio.Event().wait()


async def a_customers_link(system: System) -> str:
    """The link in the latest mail about a parcel: the page that its customer sees."""
    connection = await asyncpg.connect(system.databases["notifier"])
    try:
        mail = await connection.fetchrow(
            """SELECT m.id, l.recipient FROM page_link l JOIN mail m ON m.id = l.mail_id
               ORDER BY (m.template = 'shipment_dispatched') DESC, m.created_at DESC LIMIT 1"""
        )
    finally:
        await connection.close()
    page = system.url(CUSTOMER_PAGE)
    if mail is None:
        return page
    return url_of(page, token_of(key_of(system.secrets.internal_token), mail["id"], mail["recipient"]))


def show_addresses(
    console: Console,
    system: System,
    script: Script,
    staff: Staff,
    *,
    customers_link: str,
    inbox: str,
    watch: Watch | None = None,
) -> None:
    """Where everything answers, and with which credentials."""
    shop = script.merchant.shop
    login = login_of(YOURS.shop, YOURS.modules[0])
    table = Table(title="Comptoir is up; Ctrl-C ends it", show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("Back office", system.url(BACKOFFICE))
    for person in staff.people:
        table.add_row(f"  {person.role}", person.login)
    table.add_row(f"  {YOURS.shop}", YOUR_LOGIN)
    table.add_row("  their password", staff.password)
    table.add_row("A customer's page", customers_link)
    table.add_row("Inbox of all mails", inbox)
    table.add_row("REST API", f"{system.url('orders')}/v1/orders")
    table.add_row("  its document", f"{system.url('orders')}/openapi.json")
    table.add_row("  bearer token", system.secrets.api_tokens[shop])
    table.add_row(f"  of {YOURS.shop}", system.secrets.api_tokens[YOURS.shop])
    table.add_row("Stripe webhooks", system.webhook_url(shop))
    table.add_row("  signing secret", system.accounts.stripe_secret)
    table.add_row("PayPal webhooks", system.paypal_webhook_url(shop))
    table.add_row("  webhook id", system.accounts.paypal_webhook_id)
    table.add_row("RabbitMQ management", system.rabbitmq.management_url)
    table.add_row("  user, password", f"{system.rabbitmq.user}, {system.rabbitmq.password}")
    if watch is not None:
        table.add_row("Prometheus", watch.prometheus_url)
        table.add_row("Alertmanager", watch.alertmanager_url)
    table.add_row("Operators' token", system.secrets.internal_token)
    for service in SERVICES:
        table.add_row(f"  {service}", f"{system.url(service)}/readyz, /metrics, /internal/parked")
    table.add_row("Mails accepted", str(system.mail_journal))
    table.add_row("Logs", str(system.folder / "log"))
    console.print(table)
    console.print(
        f"The storefront of a shop of your own, {YOURS.shop}, for the program in README.md (order.py):"
    )
    console.print(f"  AMQP address {system.amqp_url(login)}", soft_wrap=True)
    console.print(f"  login and queue of its answers {login}", soft_wrap=True)
    console.print(
        f"  PYTHONPATH=. var/venv/bin/python order.py '{system.amqp_url(login)}' {YOURS.shop} {login}",
        soft_wrap=True,
    )
    console.print(
        f"Operate it: var/venv/bin/python -m deploy.cli --env-file {ENV_FILE.relative_to(ROOT)} status",
        soft_wrap=True,
    )
    console.print("Orders, mails and logs are this run's alone and go when it ends.")
    console.print(
        f"Try: curl -H 'Authorization: Bearer {system.secrets.api_tokens[shop]}' {system.url('orders')}/v1/orders"
    )


if __name__ == "__main__":
    sys.exit(main())
