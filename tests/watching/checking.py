"""Whether a command that a page shows to operators exists with the options that are used."""

import re
import subprocess
import sys
from collections.abc import Callable

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from contracts.catalogue import SERVICES
from deploy.cli.app import app
from deploy.local.rabbitmq import PrivateRabbitMQ
from deploy.local.system import ROOT
from services.payments.app import SERVICE as PAYMENTS
from tests.bench.__main__ import MEASURES

BROKER_PROGRAMS = ("rabbitmqctl", "rabbitmq-diagnostics", "rabbitmq-plugins", "rabbitmq-queues")
SERVICE_COMMANDS = {"payments": {"migrate", *PAYMENTS.commands}}


def check_command(words: list[str], broker: Callable[[], PrivateRabbitMQ]) -> None:
    """Fail if a command does not exist or does not have an option; nothing is carried out."""
    match words:
        case ["comptoir", *rest]:
            _parse(rest)
        case ["make", target, *_]:
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), target
        case ["python", "-m", "tests.bench", *names]:
            assert set(names) <= set(MEASURES)
        case ["python", "-m", module, *rest] if module.startswith("services."):
            service = module.split(".")[1]
            assert service in SERVICES
            assert (ROOT / module.replace(".", "/") / "__main__.py").is_file()
            assert set(rest) <= SERVICE_COMMANDS.get(service, {"migrate"})
        case ["python", "-m", module, *rest]:
            done = subprocess.run(
                [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
            )
            for option in (word for word in rest if word.startswith("--")):
                assert option in done.stdout
        case [program, command, *_] if program in BROKER_PROGRAMS:
            broker().tool(program, "help", command)
        case _:
            pytest.fail(f"no test knows how to check {words}")


def _parse(words: list[str]) -> None:
    """Parse as the command line does, without running anything."""
    command = get_command(app)
    while isinstance(command, TyperGroup):
        name, *words = words
        command = command.commands[name]
    command.make_context(command.name, words)
