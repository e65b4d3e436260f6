"""The command line, run against the shop's system as an operator runs it."""

import json
import sys
from typing import Any

from deploy.demo.addresses import operator_settings
from deploy.local.supervisor import inherited
from deploy.local.system import ROOT
from tests.journeys.shop import Shop


async def operate(shop: Shop, *arguments: str, **settings: str) -> tuple[int, str]:
    """Exit status and output of a command. `settings` replace those of the shop's system."""
    env = {**inherited(), **operator_settings(shop.system), **settings}
    argv = [sys.executable, "-m", "deploy.cli", *arguments]
    status, output = await shop.system.supervisor.launcher.run(argv, env=env, cwd=ROOT)
    return status, output.decode()


async def operate_json(shop: Shop, *arguments: str, status: int = 0) -> dict[str, Any]:
    """What a command writes with `--json`; it must end with this status."""
    ended, output = await operate(shop, *arguments, "--json")
    assert ended == status, output
    assert output.count("\n") == 1, output
    found: dict[str, Any] = json.loads(output)
    return found
