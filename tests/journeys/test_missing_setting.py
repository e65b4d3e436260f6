"""A service that cannot start reports all missing settings at once, in terms of its deployment."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from contracts.catalogue import SERVICES
from deploy.local.spawning import Launcher
from tests.preloading import Preloaded
from tests.programs import SETTINGS_MODULES

ROOT = Path(__file__).resolve().parents[2]
CPU_SECONDS = 15.0
LISTS = {
    "orders": "COMPTOIR_API_TOKENS",
    "payments": "COMPTOIR_STRIPE_ENDPOINTS",
    "notifier": "COMPTOIR_SHOPS",
}


@pytest.mark.parametrize("service", SERVICES)
def test_without_settings_a_service_names_all_it_needs(service: str, tmp_path: Path) -> None:
    output = _start(service, tmp_path)
    assert _needed(service) >= {"COMPTOIR_DATABASE_URL", "COMPTOIR_AMQP_URL", "COMPTOIR_HTTP_PORT"}
    assert {name for name in _needed(service) if f"  {name} is missing" not in output} == set()
    assert output.splitlines()[-1].startswith("Set each in the environment")


@pytest.mark.parametrize(("service", "name"), LISTS.items())
async def test_a_list_that_is_not_json_is_named_with_everything_else(
    service: str, name: str, preloaded: Preloaded
) -> None:
    output = await _fork(service, preloaded, **{name: '[{"secret": "whsec_do-not-show'})
    assert f"  {name} must be a JSON list" in output
    assert "COMPTOIR_DATABASE_URL is missing" in output
    assert "do-not-show" not in output


@pytest.mark.parametrize("service", SERVICES)
async def test_a_wrong_value_is_named_and_not_shown(service: str, preloaded: Preloaded) -> None:
    output = await _fork(service, preloaded, COMPTOIR_HTTP_PORT="eighty", COMPTOIR_INTERNAL_TOKEN="tooshort")
    assert "COMPTOIR_HTTP_PORT must be a whole number" in output
    assert "COMPTOIR_INTERNAL_TOKEN" in output
    assert "tooshort" not in output


def _start(service: str, folder: Path) -> str:
    """Return its output up to its end; the limit is in processor time, since the machine may be busy."""
    output = folder / "output"
    with output.open("w") as file:
        process = subprocess.Popen(
            _argv(service), env=_environment(), cwd=ROOT, stdout=file, stderr=subprocess.STDOUT
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert used.ru_utime + used.ru_stime < CPU_SECONDS
    return _refusal(process.returncode, output.read_text())


async def _fork(service: str, launcher: Launcher, **settings: str) -> str:
    """Return its output up to its end, without the imports: settings are read after them, at start."""
    status, output = await launcher.run(_argv(service), env={**_environment(), **settings}, cwd=ROOT)
    return _refusal(status, output.decode())


def _argv(service: str) -> list[str]:
    return [sys.executable, "-m", f"services.{service}"]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("COMPTOIR_")}


def _refusal(status: int, output: str) -> str:
    assert status == 1, output
    assert "Traceback" not in output
    return output


def _needed(service: str) -> set[str]:
    settings = getattr(import_module(SETTINGS_MODULES[service]), f"{service.capitalize()}Settings")
    return {
        f"COMPTOIR_{name.upper()}" for name, field in settings.model_fields.items() if field.is_required()
    }
