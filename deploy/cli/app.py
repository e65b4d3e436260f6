"""The command line `comptoir`: its commands, and how a failure ends one.

A command is a thin front of a mechanism that exists elsewhere: it sends a request to the services' operators' routes,
to the broker's management, or calls the function of `deploy` that does the work. Exit status: 0 done, 1 something was
found or the request was refused, 2 wrong use or a missing setting, 3 a service, the broker or a database can't be
reached.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from deploy.arguments import not_utf8
from deploy.cli import backups, checks, erasing, migrating, parked, recovery, topology, work
from deploy.cli.environment import ENV_FILE, read_environment
from deploy.cli.failures import Failure, NotConfigured
from deploy.cli.options import named_file
from deploy.cli.output import visible
from deploy.traces.command import traces

INTERRUPTED = 130
app = typer.Typer(
    name="comptoir",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def read_settings(
    context: typer.Context,
    env_file: Annotated[
        Path | None,
        typer.Option(
            "--env-file",
            envvar=ENV_FILE,
            metavar="FILE",
            callback=named_file,
            help="File of settings, NAME=VALUE lines.",
            show_envvar=False,
        ),
    ] = None,
) -> None:
    """Operate Comptoir: look, repair, check.

    Addresses and secrets are settings, COMPTOIR_…: in the environment, in --env-file (or COMPTOIR_ENV_FILE), or as
    files in COMPTOIR_SECRETS_DIR.

    Exit status: 0 done, 1 something was found or the request was refused, 2 wrong use or a
    missing setting, 3 a service, the broker or a database can't be reached.
    """
    if context.invoked_subcommand is not None:
        context.obj = read_environment(os.environ, env_file)


app.command("status")(work.status)
app.command("drain")(work.drain)
app.command("pause")(work.pause)
app.command("resume")(work.resume)
app.add_typer(work.effects, name="effects")
app.add_typer(parked.commands, name="parked")
app.command("replay")(recovery.replay)
app.command("resync")(recovery.resync)
app.add_typer(recovery.lost, name="lost")
app.command("audit")(checks.audit)
app.add_typer(checks.verify, name="verify")
app.command("erase")(erasing.erase)
app.command("migrate")(migrating.migrate)
app.command("backup")(backups.backup)
app.command("restore")(backups.restore)
app.add_typer(topology.commands, name="topology")
app.command("traces")(traces)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, of the process unless given, and exit with its status."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        if wrong := not_utf8(given):
            raise NotConfigured(wrong)
        app(given, prog_name="comptoir")
    except Failure as failure:
        sys.stderr.write(f"{visible(str(failure))}\n")
        sys.exit(failure.status)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
