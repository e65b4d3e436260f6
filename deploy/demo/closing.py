"""The end of a run on the screen: one table, what went wrong, and where to look."""

from collections import Counter

from rich.console import Console
from rich.table import Table

from deploy.demo.figures import Figures, percentile
from deploy.demo.money.documents import CREDIT_NOTE, INVOICE

MOST_SHOWN = 20


def show_table(console: Console, figures: Figures, seconds: float) -> None:
    """All figures in one table."""
    table = Table(
        title=f"Comptoir, {figures.submitted} orders in {seconds:.0f} s", show_header=False, min_width=70
    )
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    refused = figures.refused.total()
    table.add_row("Orders", f"{figures.submitted} submitted: {figures.placed} placed, {refused} refused")
    table.add_row("  by module", counted(figures.modules))
    table.add_row("  by state", counted(figures.states))
    table.add_row("  by payment status", counted(figures.payments))
    table.add_row("  by fulfilment status", counted(figures.fulfilment))
    table.add_row("  refused, and why", counted(figures.refused))
    table.add_row("Payments by method", counted(figures.receipts.received))
    table.add_row("Refunds", counted(figures.receipts.refunded))
    table.add_row("Disputes", counted(figures.disputes))
    table.add_row("Invoices", figures.documents.span(INVOICE))
    table.add_row("Credit notes", figures.documents.span(CREDIT_NOTE))
    table.add_row("Checkouts announced", counted(figures.carts))
    table.add_row("Webhooks", counted(figures.webhooks))
    table.add_row("  lost", f"{figures.lost}, found by reconciliation {figures.reconciled}")
    returned = figures.mails_returned
    table.add_row(
        "Mails",
        f"{figures.mails_accepted} accepted, {figures.mails_duplicated} twice, {returned['bounced']} came back, "
        f"{returned['suppressed']} held",
    )
    table.add_row("Suppressed addresses", str(figures.suppressed_addresses))
    conversations = figures.conversations
    table.add_row("Mails received", counted(conversations.received))
    table.add_row("Conversations", counted(conversations.states))
    table.add_row("  messages", counted(conversations.messages))
    table.add_row(
        "Messages",
        f"{figures.handled} handled, {figures.duplicates} duplicates ignored, {figures.parked} parked",
    )
    fast, slow = percentile(figures.latencies_ms, 50), percentile(figures.latencies_ms, 99)
    table.add_row("Submitted → customer’s mail", f"p50 {fast:.0f} ms, p99 {slow:.0f} ms")
    table.add_row("Auditor", auditor_result(figures))
    console.print(table)


def auditor_result(figures: Figures) -> str:
    """Return the auditor's verdict as a cell."""
    violations = len(figures.violations)
    return "no violations" if not violations else f"[red]{violations} violations[/red]"


def counted(counts: Counter[str]) -> str:
    """Counts as text, the most frequent first."""
    return ", ".join(f"{name} {count}" for name, count in counts.most_common()) or "none"


def show_wrongs(console: Console, wrongs: list[str]) -> None:
    """What went wrong, at most a screenful."""
    for wrong in wrongs[:MOST_SHOWN]:
        console.print(f"[red]✗[/red] {wrong}", markup=True)
    if len(wrongs) > MOST_SHOWN:
        console.print(f"  … and {len(wrongs) - MOST_SHOWN} more")
