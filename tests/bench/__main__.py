"""`python -m tests.bench [NAMES…] [--smoke] [--report FILE]`: measure, print a table, write var/bench/report.json.

Servers are private and gone afterwards. Names: intake, catch-up, webhook, life, latency, replicas, list, invoices,
mails; none means all. Exit status 0 when everything could be measured, whether or not the goals were reached. The
report is written after each measurement; one that fails has a row which says why, and the others go on.
A smoke run forks its processes from one interpreter, so that it takes no time to start them: its figures mean nothing.
"""

import argparse
import asyncio
import secrets
import shutil
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import closing, nullcontext
from pathlib import Path

import asyncpg
from rich.console import Console

from deploy.local.parts import Parts, started_parts
from deploy.local.spawning import Launcher
from tests.bench import catching_up, finding, intake, invoicing, latency, life, mailing, replicas, webhook
from tests.bench.harness import Harness, management_of, opened_harness
from tests.bench.progress import Progress
from tests.bench.report import settings, show, write_report
from tests.bench.row import Row
from tests.bench.scale import SMOKE, Scale, full_scale
from tests.bench.smtp_sink import find_sink
from tests.preloading import Preloaded

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "var" / "bench"
REPORT = FOLDER / "report.json"
Measure = Callable[[Harness], Awaitable[list[Row]]]
MEASURES: dict[str, Measure] = {
    "intake": intake.measure,
    "catch-up": catching_up.measure,
    "webhook": webhook.measure,
    "life": life.measure,
    "latency": latency.measure,
    "replicas": replicas.measure,
    "list": finding.measure,
    "invoices": invoicing.measure,
    "mails": mailing.measure,
}


def main() -> None:
    """The command line."""
    reader = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure Comptoir's speed.")
    reader.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(MEASURES)}")
    reader.add_argument("--smoke", action="store_true", help="run everything tiny: does it work at all?")
    reader.add_argument("--report", type=Path, default=REPORT, help=f"default {REPORT.relative_to(ROOT)}")
    given = reader.parse_args()
    if unknown := set(given.names) - set(MEASURES):
        reader.error(f"no measurement {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    sys.exit(run(given.names or list(MEASURES), SMOKE if given.smoke else full_scale(), given.report))


def run(names: Sequence[str], scale: Scale, report: Path) -> int:
    """Measure on servers of our own, which end with us; 1 if something failed. Then the folder with the logs stays."""
    folder = FOLDER / secrets.token_hex(4)
    folder.mkdir(parents=True)
    console = Console(stderr=False, width=None if sys.stdout.isatty() else 110)
    with (
        started_parts(folder) as parts,
        closing(Preloaded()) if scale is SMOKE else nullcontext() as launcher,
    ):
        try:
            rows, lines = asyncio.run(_measure(parts, folder, names, scale, console, report, launcher))
        except BaseException:
            console.print(f"logs: {folder}", highlight=False)
            raise
    show(console, rows, lines)
    if any(row.failed for row in rows):
        console.print(f"logs: {folder}", highlight=False)
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    return 0


async def _measure(
    parts: Parts,
    folder: Path,
    names: Sequence[str],
    scale: Scale,
    console: Console,
    report: Path,
    launcher: Launcher | None,
) -> tuple[list[Row], list[str]]:
    sink = await asyncio.to_thread(find_sink, ROOT / "var" / "parts")
    progress = Progress(console)
    progress.begin("preparing databases and queues")
    async with opened_harness(parts, folder, scale, sink, progress, launcher) as harness:
        lines = settings(scale, await _servers(parts, harness, sink is not None))
        rows = await measure_all(harness, {name: MEASURES[name] for name in names}, report)
    return rows, [*lines, *harness.notes]


async def measure_all(harness: Harness, measures: Mapping[str, Measure], report: Path) -> list[Row]:
    """Measure one after the other and write the report after each. One that fails is a row; the others go on."""
    rows: list[Row] = []
    for name, measure in measures.items():
        began = time.monotonic()
        harness.progress.begin(f"{name}: starting")
        try:
            rows += await measure(harness)
            text = "measured"
        except Exception as error:  # noqa: BLE001 - whatever it is, the others can be measured
            (harness.ours.folder / f"failed-{name}.txt").write_text(traceback.format_exc())
            rows.append(Row(name, 0.0, "", failed=(str(error) or type(error).__name__).splitlines()[0]))
            text = f"failed ({rows[-1].failed})"
        write_report(report, rows)
        harness.progress.end(f"{name}: {text} in {time.monotonic() - began:.0f} s")
    return rows


async def _servers(parts: Parts, harness: Harness, has_sink: bool) -> dict[str, str]:
    connection = await asyncpg.connect(parts.postgres.admin_url)
    postgres = await connection.fetchval("SHOW server_version")
    await connection.close()
    overview = management_of(harness.ours).get("overview")
    sink = "smtp-sink under load" if has_sink else "the demo's, smtp-sink is not to be had"
    return {"PostgreSQL": postgres, "RabbitMQ": overview["rabbitmq_version"], "mail server:": sink}


if __name__ == "__main__":
    main()
