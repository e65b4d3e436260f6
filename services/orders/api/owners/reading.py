"""What an owning service answers about the caller's shop, for a route that shows it; or why it has no answer."""

from collections.abc import Mapping
from typing import Any, Literal

from services.chassis.http.problems import Problem
from services.orders.api.context import RequestContext
from services.orders.api.owners.clients import ServiceUnavailable


async def read_owned(
    context: RequestContext,
    owner: Literal["payments", "fulfillment", "notifier"],
    path: str,
    **query: str | list[str],
) -> Mapping[str, Any]:
    """Return an owner's answer. Raises the 503 problem while it does not answer, its own 409 one while it can't show
    what it has, the 404 one if it does not have the shop.
    """
    answer = await context.clients.get(owner, path, shop=context.caller.shop, **query)
    if isinstance(answer, ServiceUnavailable):
        why = (
            "does not answer: try again in a moment"
            if answer.since
            else f"needs COMPTOIR_{owner.upper()}_URL"
        )
        raise Problem(503, f"{owner}_unavailable", f"The service {owner} {why}.")
    if answer.status == 409:
        raise Problem(409, str(answer.body.get("code", "conflict")), str(answer.body.get("detail", "")))
    if answer.status != 200:
        raise Problem(404, "shop_unknown", f"The service {owner} does not have the shop of this token.")
    body: Mapping[str, Any] = answer.body
    return body
