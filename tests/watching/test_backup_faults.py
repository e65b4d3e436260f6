"""Backups that are not made: seen in the real Prometheus, and ended as their runbook says."""

from pathlib import Path

import pytest

from deploy.local.prometheus.watching import Watch
from deploy.local.system import AUDITOR
from tests.watching.following import follow
from tests.watching.provoking import wait_until_fire, wait_until_silent


@pytest.mark.timeout(600)
@pytest.mark.runbook("backup-old.md")
async def test_a_folder_without_a_backup_is_seen_until_one_is_made(watch: Watch, tmp_path: Path) -> None:
    await watch.system.supervisor.stop(AUDITOR)
    await watch.system.start_auditor(1.0, "--backups", str(tmp_path))
    try:
        await wait_until_fire(watch, ("ComptoirBackupOld", ""))
        backup = "comptoir backup /backups --keep 14"
        status, output = await follow(watch, "backup-old.md", backup, {"/backups": str(tmp_path)})
        assert status == 0, output
        await wait_until_silent(watch, "ComptoirBackupOld")
    finally:
        await watch.system.supervisor.stop(AUDITOR)
        await watch.system.start_auditor(1.0)
    await wait_until_silent(watch, "ComptoirDown", "ComptoirAuditorStale")
