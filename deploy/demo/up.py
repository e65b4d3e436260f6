"""`python -m deploy.demo.up`: the demo, and then everything stays up, with its addresses, until Ctrl-C."""

import asyncio
import sys

from rich.console import Console
from rich.table import Table

from contracts.catalogue import SERVICES
from deploy.demo.__main__ import command_line, script_of
from deploy.demo.addresses import noted
from deploy.demo.dressing import dress
from deploy.demo.running import run
from deploy.demo.sales.merchant import GARANCE, YOURS
from deploy.demo.sales.storefront import login_of
from deploy.demo.script import Script
from deploy.demo.showing import Show
from deploy.demo.staff import Staff, hire, staff_of
from deploy.demo.trickle import PAUSE_SECONDS, Trickle
from deploy.local.system import BACKOFFICE, System

AUDIT_SECONDS = 15.0
"""Between two looks of the auditor, at least: it reads all of four databases and shares the machine with them."""

YOUR_LOGIN = f"you@{YOURS.profile['merchant_email'].partition('@')[2]}"
"""With which the reader signs in to the back office of a shop of their own."""


def main() -> int:
    """The command line."""
    reader = command_line("make up", "The demo, kept running.")
    reader.add_argument(
        "--every",
        type=float,
        metavar="SECONDS",
        default=PAUSE_SECONDS,
        help="seconds between two customers, on average (20)",
    )
    given = reader.parse_args()
    show = Show()

    async def stay(system: System, played: Script) -> None:
        staff = staff_of(played.merchant)
        show.step("people are let into the back office; they tag, note and archive")
        await hire(system, played.merchant.shop, staff)
        await system.add_staff(YOURS.shop, YOUR_LOGIN, staff.password, "owner", "You")
        if played.merchant is GARANCE:
            await dress(system, played, staff)
        show.step(f"the auditor looks every {AUDIT_SECONDS:g} s, or more slowly where looks take long")
        await system.start_auditor(AUDIT_SECONDS)
        show_addresses(show.console, system, played, staff)
        with noted(system.databases):
            await live_on(system, played, given.every, show.console)

    return run(script_of(reader, given), show, given.folder, stay, [YOURS])


async def live_on(system: System, played: Script, pause_seconds: float, console: Console) -> None:
    """Customers come until Ctrl-C."""
    if played.merchant is GARANCE:
        console.print(
            f"A customer comes every {pause_seconds:g} s or so. Sign in at {system.url(BACKOFFICE)}"
        )
        await Trickle(system, played, pause_seconds).run()
    await asyncio.Event().wait()


def show_addresses(console: Console, system: System, script: Script, staff: Staff) -> None:
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
    table.add_row("REST API", f"{system.url('orders')}/v1/orders")
    table.add_row("  its document", f"{system.url('orders')}/openapi.json")
    table.add_row("  bearer token", system.secrets.api_tokens[shop])
    table.add_row(f"  of {YOURS.shop}", system.secrets.api_tokens[YOURS.shop])
    table.add_row("Stripe webhooks", system.webhook_url(shop))
    table.add_row("  signing secret", system.secrets.stripe_secret)
    table.add_row("RabbitMQ management", system.rabbitmq.management_url)
    table.add_row("  user, password", f"{system.rabbitmq.user}, {system.rabbitmq.password}")
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
    console.print("Orders, mails and logs are this run's alone and go when it ends.")
    console.print(
        f"Try: curl -H 'Authorization: Bearer {system.secrets.api_tokens[shop]}' {system.url('orders')}/v1/orders"
    )


if __name__ == "__main__":
    sys.exit(main())
