"""Documents for the packing table: the pick list, and the slip that goes into a parcel.

Both are for the chosen orders or, if none is chosen, for all that wait, the oldest first. Stock locations and
parcel contents come from fulfillment; names, descriptions and addresses are orders' own. A slip is in the
customer's language and has no prices: the recipient of a gift sees it too.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from babel import Locale
from markupsafe import Markup
from starlette.responses import Response

from services.orders.api.owners.clients import Answer, ServiceUnavailable
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form
from services.orders.backoffice.language.times import timestamps_read
from services.orders.backoffice.language.translating import DEFAULT_LANGUAGE, LANGUAGES, PageLocale
from services.orders.backoffice.order import words
from services.orders.backoffice.orders import chosen
from services.orders.backoffice.orders.reading import zone_of
from services.orders.backoffice.parcels import store as parcels_store
from services.orders.backoffice.parcels.reading import ORDERS_OF, Queue, by_order, first_of_queue
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages

pages = Pages()

MOST_PICKED, MOST_SLIPS = 200, 100
"""Maximum orders on one pick list, and on one page of slips."""
Row = Mapping[str, Any]


@pages.get("/parcels/pick-list", Permission.PARCELS_PACK)
async def show_pick_list(context: PageContext) -> Response:
    """Show the items to pick for the chosen orders, or for all that wait."""
    is_chosen, order_ids, is_cut = await _orders(context, Queue.TO_PACK, MOST_PICKED)
    owner = await _ask(context, "/internal/pick-list", order_ids)
    answer = {"skus": [], "orders": []} if isinstance(owner, ServiceUnavailable) else owner.body
    ids = [UUID(one["order_id"]) for one in answer["orders"]]
    async with context.reading() as connection:
        lines = await parcels_store.read_lines(connection, context.shop, ids)
        people = await parcels_store.read_recipients(connection, context.shop, ids)
        waiting = await context.app_state.finder.count(
            connection, context.shop, ORDERS_OF[Queue.TO_PACK], zone_of(context)
        )
    shelves = _shelves(answer, lines)
    return context.render(
        "parcels/pick_list.html",
        owner=owner,
        shelves=shelves,
        orders=_picked_orders(answer, lines, people),
        units=sum(one["quantity"] for one in shelves if one["location"] is not None or one["sku"] is None),
        missing=sum(one["quantity"] for one in answer["skus"] if one["location"] is None),
        is_chosen=is_chosen,
        most=MOST_PICKED if is_chosen and is_cut else 0,
        left_out=0 if is_chosen else max(0, waiting.number - len(order_ids)),
        now=context.locale.now,
    )


@pages.get("/parcels/packing-slips", Permission.PARCELS_PACK)
async def show_packing_slips(context: PageContext) -> Response:
    """Show the slip of each parcel of the chosen orders, or of all waiting parcels; `parcel` selects one."""
    is_chosen, order_ids, is_cut = await _orders(context, Queue.TO_SHIP, MOST_SLIPS)
    parcel = context.query.get("parcel", "")
    narrowed = {"parcel_id": str(_uuid(parcel))} if parcel else {}
    owner = await _ask(context, "/internal/packing-slips", order_ids, **narrowed)
    slips = [] if isinstance(owner, ServiceUnavailable) else owner.body
    if not is_chosen or context.query.get("waiting"):
        slips = [slip for slip in slips if slip["shipment"] is None]
    ids = list({UUID(slip["order_id"]): None for slip in slips})
    async with context.reading() as connection:
        lines = await parcels_store.read_lines(connection, context.shop, ids)
        people = await parcels_store.read_recipients(connection, context.shop, ids)
    return context.render(
        "parcels/packing_slips.html",
        owner=owner,
        slips=_papers(context, slips, lines, people),
        most=MOST_SLIPS if is_cut else 0,
    )


async def _orders(context: PageContext, queue: Queue, most: int) -> tuple[bool, list[UUID], bool]:
    """Return whether the address has orders, the orders or else those that have waited longest, whether there are more.

    Raises Missing.
    """
    form = Form(context.request.query_params.multi_items())
    if form["order"] or form["orders"] or form["everything"]:
        named = await chosen.orders_of(context, form, most + 1)
        return True, named[:most], len(named) > most
    async with context.reading() as connection:
        first = await first_of_queue(context, connection, queue, most + 1)
        return False, first[:most], len(first) > most


async def _ask(
    context: PageContext, path: str, order_ids: Sequence[UUID], **more: str
) -> Answer | ServiceUnavailable:
    """Fetch fulfillment's data on orders; without orders it is not called. Raises Missing when it rejects the
    request.
    """
    if not order_ids:
        return Answer(200, {"skus": [], "orders": []} if path.endswith("pick-list") else [])
    found = await context.app_state.clients.get(
        "fulfillment", path, shop=context.shop, order_id=[str(one) for one in order_ids], **more
    )
    if not isinstance(found, ServiceUnavailable) and found.status != 200:
        raise Missing
    return found


def _shelves(answer: Mapping[str, Any], lines: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the pick list: by location, then SKU, each with its orders; items without stock come last, then
    goods without a SKU, each line by itself.
    """
    names = {line["sku"]: line["description"] for line in lines}
    texts = {(str(line["order_id"]), line["line"]): line["description"] for line in lines}
    wanted: dict[tuple[str, str | None], dict[str, int]] = {}
    unnumbered = []
    for order in answer["orders"]:
        for line in order["lines"]:
            if line["sku"] is None:
                text = texts.get((order["order_id"], line["line"]), "")
                unnumbered.append({**line, "description": text, "orders": {order["code"]: line["quantity"]}})
                continue
            codes = wanted.setdefault((line["sku"], line["location"]), {})
            codes[order["code"]] = codes.get(order["code"], 0) + line["quantity"]
    rows = [
        {**one, "description": names.get(one["sku"], ""), "orders": wanted[one["sku"], one["location"]]}
        for one in answer["skus"]
    ]
    rows.sort(key=lambda row: (row["location"] is None, row["location"] or "", row["sku"]))
    return rows + unnumbered


def _picked_orders(
    answer: Mapping[str, Any], lines: Iterable[Row], people: Iterable[Row]
) -> list[dict[str, Any]]:
    """Return the contents of the parcels, order by order."""
    texts = {(line["order_id"], line["line"]): line for line in lines}
    names = {one["order_id"]: one["customer_name"] for one in people}
    return [
        {
            **timestamps_read(order, "placed_at"),
            "customer_name": names.get(UUID(order["order_id"])),
            "lines": [
                {**line, **_described(texts.get((UUID(order["order_id"]), line["line"])))}
                for line in order["lines"]
            ],
        }
        for order in answer["orders"]
    ]


def _papers(
    context: PageContext, slips: Sequence[Mapping[str, Any]], lines: Iterable[Row], people: Iterable[Row]
) -> list[tuple[str, str, Markup]]:
    """Return every slip in its customer's language: language, order code, HTML."""
    texts, readers = by_order(lines), {one["order_id"]: one for one in people}
    papers = []
    for slip in slips:
        reader = readers.get(UUID(slip["order_id"]))
        if reader is None:  # deleted meanwhile
            continue
        language = str(reader["locale"])[:2].lower()
        language = language if language in LANGUAGES else DEFAULT_LANGUAGE
        how = PageLocale(language, context.locale.zone, context.locale.now)
        answer = _slip(context, slip, reader, texts[reader["order_id"]], how)
        html = context.app_state.templates.render(how, "parcels/slip.html", answer)
        papers.append((language, str(slip["code"]), Markup(html)))
    return papers


def _slip(
    context: PageContext, slip: Mapping[str, Any], reader: Row, lines: Iterable[Row], how: PageLocale
) -> dict[str, Any]:
    texts = {line["line"]: _described(line) for line in lines}

    def named(parts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return [{**part, **texts.get(part["line"], _described(None))} for part in parts]

    return {
        "shop_facts": context.shop_facts,
        "slip": slip,
        "reader": reader,
        "placed_at": datetime.fromisoformat(slip["placed_at"]),
        "address": _address(reader, how),
        "lines": named(slip["lines"]),
        "to_come": named(slip["left_to_pack"]),
        "kinds": words.PARCEL_KINDS,
    }


def _described(line: Row | None) -> dict[str, Any]:
    if line is None:
        return {"description": "", "options": {}}
    return {"description": line["description"], "options": json.loads(line["options"] or "{}")}


def _address(reader: Row, how: PageLocale) -> dict[str, Any]:
    """Return the destination: the shipping address, else the billing address, both after the last edit; the
    country by its name in the slip's language.
    """
    answer = json.loads(reader["submitted"] or "{}") | json.loads(reader["amended"] or "{}")
    address: dict[str, Any] = answer.get("shipping_address") or answer.get("billing_address") or {}
    country = address.get("country")
    named = {"country": Locale.parse(how.locale).territories.get(country, country)} if country else {}
    return {"name": reader["customer_name"], **address, **named}


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Missing from None
