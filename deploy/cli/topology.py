"""`comptoir topology`: the broker's queues, bindings, policies and rights, compared with the catalogue or applied."""

import typer

from deploy import topology
from deploy.cli.failures import Status
from deploy.cli.options import AsJson, environment_of
from deploy.cli.output import emit

commands = typer.Typer(
    help="Compare the broker with the catalogue, or apply the catalogue.", no_args_is_help=True
)


@commands.command("diff")
def diff(context: typer.Context, as_json: AsJson = False) -> None:
    """List differences between broker and catalogue.

    Status 1 if there is any.
    """
    environment = environment_of(context)
    with topology.explain_failures(environment):
        broker = topology.broker_of(environment)
        found = topology.differences(broker.management, broker.storefronts)
    emit(
        {"differences": found, **broker.size},
        as_json,
        lambda console: console.print("\n".join(found) or _in_order(broker)),
    )
    if found:
        raise typer.Exit(Status.FOUND)


@commands.command("apply")
def apply(context: typer.Context, as_json: AsJson = False) -> None:
    """Make the broker match the catalogue.

    What is missing is created, obsolete bindings are removed, queues never.
    """
    environment = environment_of(context)
    with topology.explain_failures(environment):
        broker = topology.broker_of(environment)
        before = topology.differences(broker.management, broker.storefronts)
        topology.apply(broker.management, broker.passwords, broker.storefronts)
    emit(
        {"removed_differences": before, **broker.size},
        as_json,
        lambda console: console.print(
            "\n".join([*(f"corrected: {one}" for one in before), _in_order(broker)])
        ),
    )


def _in_order(broker: topology.Broker) -> str:
    return "topology: {queues} queues, {bindings} bindings in order".format(**broker.size)
