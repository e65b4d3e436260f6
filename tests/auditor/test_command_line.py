"""`python -m deploy.auditor` says what is wrong and ends with a status that a script can act on."""

import asyncio
import json
import os
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path

import asyncpg

from deploy.auditor.__main__ import read_journals
from deploy.demo.running import ROOT
from deploy.local.mailserver import Mail
from tests.auditor.life import Life


async def run_auditor(*arguments: str, **env: str) -> tuple[int, str]:
    """Exit status and output."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.auditor", *arguments),
        cwd=ROOT,
        env={**os.environ, **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


def variables(life: Life) -> dict[str, str]:
    return {f"COMPTOIR_{service.upper()}_DATABASE_URL": url for service, url in life.urls.items()}


async def test_a_parked_message_is_reported_with_its_reason_and_ends_in_status_1(life: Life) -> None:
    connection = await asyncpg.connect(life.urls["orders"])
    await connection.execute("UPDATE msg.parked SET state = 'dead'")
    status, output = await run_auditor("--quiet-seconds", "1", **variables(life))
    await connection.execute("UPDATE msg.parked SET state = 'discarded'")
    await connection.close()
    assert status == 1, output
    assert "nothing_is_parked" in output
    assert "1 violation\n" in output


async def test_without_damage_the_status_is_0(life: Life) -> None:
    status, output = await run_auditor(**variables(life))
    assert status == 0, output
    assert "0 violations" in output


async def test_a_missing_database_is_named() -> None:
    status, output = await run_auditor("--orders", "postgresql://127.0.0.1:1/none")
    assert status == 2
    assert "payments, fulfillment, notifier" in output


async def test_a_journal_of_mails_that_cannot_be_read_is_named(life: Life, tmp_path: Path) -> None:
    status, output = await run_auditor("--mails", str(tmp_path), **variables(life))
    assert status == 2, output
    assert f"can't read {tmp_path}: Is a directory" in output


async def test_the_journal_of_mails_is_read_after_the_wait_for_rest(life: Life, tmp_path: Path) -> None:
    """A living system goes on writing mails while it is waited for."""
    journal = tmp_path / "mails.jsonl"
    journal.write_text("")
    read = partial(read_journals, journal)
    assert read().mails == []
    written = [Mail("", "", [], message_id, "", 0) for message_id in life.journals.mails or ()]
    journal.write_text("".join(json.dumps(asdict(mail)) + "\n" for mail in written))
    assert read().mails == list(life.journals.mails or ())
