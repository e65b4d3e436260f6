"""`comptoir erase`: erase a customer in all services. The order's code names the customer."""

from typing import Annotated

import typer
from rich.console import Console

from deploy.cli.options import Actor, AsJson, services_of, shop_named
from deploy.cli.output import counted, emit


def erase(
    context: typer.Context,
    shop: Annotated[
        str, typer.Option("--shop", metavar="SHOP", callback=shop_named, help="Shop of the customer.")
    ],
    order: Annotated[str, typer.Option("--order", metavar="CODE", help="Code of any order of the customer.")],
    reason: Annotated[
        str,
        typer.Option("--reason", metavar="TEXT", help="The request, for the proof; without personal data."),
    ],
    running: Annotated[
        bool, typer.Option("--running", help="Erase orders that are still running, too.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Erase; without it the orders are only listed.")] = False,
    actor: Actor = "",
    as_json: AsJson = False,
) -> None:
    """Erase the customer of an order in all services.

    This cannot be undone. Without --yes the orders are only listed.
    """
    body = {
        "shop": shop,
        "order": order,
        "reason": reason,
        "actor": actor,
        "with_running": running,
        "dry": not yes,
    }
    answer = services_of(context).post("orders", "erasures", body)

    def show(console: Console) -> None:
        console.print(f"{counted(len(answer['orders']), 'order')} of one customer:")
        for one in answer["orders"]:
            console.print(f"  {one['code']}{' (still running)' if one['is_running'] else ''}")
        if not yes:
            console.print(
                "nothing was erased; add --yes to erase the customer's data, which cannot be undone"
            )
        for erasure_id in answer["erasures"]:
            console.print(f"erasure {erasure_id} requested; its proof is in the back office")

    emit(answer, as_json, show)
