"""Routes for the stock and the threshold of articles, and for the switches of the shop's mails.

Fulfillment and the notifier own both. They are read there at the time of the request, and changed by the commands
that the back office's pages send.
"""

from typing import Annotated

from fastapi import Query
from fastapi.responses import JSONResponse
from pydantic import StringConstraints

from contracts.message import Sku
from services.orders.api.edges import COMMAND, Context, Key, guarded_router
from services.orders.api.owners.reading import read_owned
from services.orders.api.problems import described
from services.orders.api.shop.documents import (
    ArticlesResponse,
    MailRulesResponse,
    articles_of,
    mail_rules_of,
)
from services.orders.api.shop.requests import MailRulesRequest, ThresholdRequest

router = guarded_router()
Skus = Annotated[
    list[Annotated[Sku, StringConstraints(pattern=r"^[^\x00]*$")]],
    Query(min_length=1, max_length=100, description="Articles, each as a parameter of its own."),
]


@router.get("/stock", tags=["stock"], response_model=ArticlesResponse)
async def show_stock(sku: Skus, context: Context) -> ArticlesResponse:
    """Return the stock of some articles by location, and their thresholds."""
    return articles_of(sku, await read_owned(context, "fulfillment", "/internal/stock", sku=sku))


@router.post("/stock/thresholds", **COMMAND)
async def set_threshold(request: ThresholdRequest, key: Key, context: Context) -> JSONResponse:
    """Set or remove an article's threshold: from how few available units on the shop is warned by mail."""
    caller = context.caller
    return await context.send(key, None, [], lambda _: request.command(caller.shop, caller.actor))


@router.get("/mail-rules", tags=["mails"], response_model=MailRulesResponse, responses=described(404))
async def show_mail_rules(context: Context) -> MailRulesResponse:
    """Return which of the shop's mails are sent, and the mails that have no switch."""
    return mail_rules_of(await read_owned(context, "notifier", "/internal/mail-rules"))


@router.post("/mail-rules", **COMMAND)
async def change_mail_rules(request: MailRulesRequest, key: Key, context: Context) -> JSONResponse:
    """Switch some of the shop's mails on or off, for what happens from then on.

    Another version than the current one is rejected (`version_differs`), and so is a mail that has no switch
    (`mail_required`).
    """
    caller = context.caller
    return await context.send(key, None, [], lambda _: request.command(caller.shop, caller.actor))
