"""The first `make` says in a sentence what it lacks: a folder that can be written, or a network."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the first run needs of a checkout, with nothing made yet."""
    local = tmp_path / "deploy" / "local"
    local.mkdir(parents=True)
    for name in ("venv.py", "packages.py"):
        shutil.copy(ROOT / "deploy" / "local" / name, local)
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def first_run(checkout: Path, **environment: str) -> tuple[int, list[str]]:
    """Exit status and the lines it said."""
    done = subprocess.run(
        [sys.executable, "-m", "deploy.local.venv"],
        cwd=checkout,
        env={"PATH": os.environ["PATH"], "PIP_CONFIG_FILE": os.devnull, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    return done.returncode, done.stderr.splitlines()


def test_a_folder_that_cannot_be_written_is_named_with_what_to_do(checkout: Path) -> None:
    (checkout / "var").write_text("no folder")
    status, output = first_run(checkout)
    assert status == 1
    assert len(output) == 1, output
    assert f"{checkout / 'var'} can't be written" in output[0]
    assert "Make it writable for this user" in output[0]


def test_without_a_network_the_first_run_shows_it(checkout: Path) -> None:
    status, output = first_run(checkout, PIP_INDEX_URL="http://127.0.0.1:1/simple", PIP_RETRIES="1")
    assert status == 1
    assert len(output) == 2, output
    assert output[0].startswith("Making var/venv with ")
    assert output[1].startswith("The first run needs a network: pip reached no package index.")
    assert "PIP_INDEX_URL" in output[1]
    assert "Connection refused" in (checkout / "var" / "pip.log").read_text()
