"""Pages of bulk runs: the preview of each order, then the progress, until the last item has ended.

Nothing is done before a user starts the run on its page; from then on it continues in the background, with
this page open or not. Starting twice starts once.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from starlette.responses import Response

from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.reasons import explain
from services.orders.backoffice.language.translating import gettext, number
from services.orders.backoffice.orders import chosen
from services.orders.backoffice.orders.bulk import planning, store
from services.orders.backoffice.orders.bulk.carrying_out import WORKER
from services.orders.backoffice.orders.bulk.reading import read_run
from services.orders.backoffice.orders.bulk.runs import (
    MOST_ITEMS,
    Item,
    ItemState,
    Phase,
    Planned,
    Run,
    Verb,
    run_id_of,
)
from services.orders.backoffice.orders.bulk.words import VERBS, fault_text, item_state_words, start_button
from services.orders.backoffice.web.actions.action import key_of
from services.orders.backoffice.web.page_context import Missing, NotAllowed, PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.security import is_local_path

pages = Pages()
RECENT = 30


@pages.post("/orders/pack", Permission.PARCELS_PACK, action="orders.plan_packing")
async def plan_packing(context: PageContext) -> Response:
    """Preview packing the chosen orders."""
    form = await context.form()
    ids = await chosen.orders_of(context, form, MOST_ITEMS + 1)
    if refused := too_many_or_none(context, form, ids):
        return refused
    async with context.reading() as connection:
        planned = await planning.plan_packing(connection, context.shop, ids)
    return await keep(context, form, Verb.PACK, planned)


@pages.post("/orders/cancel", Permission.ORDERS_CANCEL, action="orders.plan_cancelling")
async def plan_cancelling(context: PageContext) -> Response:
    """Preview the effects of cancelling the chosen orders on money and stock."""
    form = await context.form()
    ids = await chosen.orders_of(context, form, MOST_ITEMS + 1)
    if refused := too_many_or_none(context, form, ids):
        return refused
    planned = await planning.plan_cancelling(
        context.app_state.hub, context.shop, ids, form.text("reason", 2000)
    )
    return await keep(context, form, Verb.CANCEL, planned)


@pages.get("/orders/runs", Permission.ORDERS_VIEW)
async def show_runs(context: PageContext) -> Response:
    """Show the latest runs."""
    async with context.reading() as connection:
        runs = await store.list_runs(connection, context.shop, RECENT)
    return context.render("orders/runs.html", runs=runs, titles=_titles())


@pages.get("/orders/runs/{run}", Permission.ORDERS_VIEW)
async def show_run(context: PageContext) -> Response:
    """Show a run: planned, in progress, or its outcome."""
    return _show(context, await _run(context))


@pages.get("/orders/runs/{run}/progress", Permission.ORDERS_VIEW, is_use=False)
async def show_progress(context: PageContext) -> Response:
    """Return the progress; the whole page again once the run has ended."""
    run = await _run(context)
    if run.phase is not Phase.RUNNING:
        return context.redirect(f"/orders/runs/{run.run_id}")
    return _show(context, run)


@pages.post("/orders/runs/{run}/start", Permission.ORDERS_VIEW, action="orders.start_run")
async def start(context: PageContext) -> Response:
    """Start a planned run."""
    run = await _run(context)
    _require(context, run)
    context.audited.update(run_id=str(run.run_id), verb=run.verb.value, orders=run.to_do)
    async with context.unit() as unit:
        started = await store.start(unit.connection, context.shop, run.run_id, context.actor, unit.now)
    context.app_state.hub.nudge(WORKER)
    if not started:
        context.outcome = "repeated"
    return context.redirect(f"/orders/runs/{run.run_id}")


@pages.post("/orders/runs/{run}/stop", Permission.ORDERS_VIEW, action="orders.stop_run")
async def stop(context: PageContext) -> Response:
    """Stop sending items of the run."""
    run = await _run(context)
    _require(context, run)
    context.audited.update(run_id=str(run.run_id), verb=run.verb.value)
    async with context.unit() as unit:
        await store.stop(unit.connection, context.shop, run.run_id, unit.now)
    return context.redirect(f"/orders/runs/{run.run_id}")


def too_many_or_none(context: PageContext, form: Form, ids: Sequence[UUID]) -> Response | None:
    """Return the answer when no run can be made of these orders."""
    if not ids:
        return context.redirect(back_of(form), gettext("No orders are selected."), "note")
    if len(ids) > MOST_ITEMS:
        text = gettext("At most %(most)s orders at once; filter the list further.", most=number(MOST_ITEMS))
        return context.redirect(back_of(form), text, "fault")
    return None


async def keep(
    context: PageContext,
    form: Form,
    verb: Verb,
    planned: Sequence[Planned],
    request: Mapping[str, Any] | None = None,
    faults: Sequence[Mapping[str, Any]] = (),
) -> Response:
    """Store a plan, once per form, and redirect to its page."""
    try:
        run_id = run_id_of(context.shop, key_of(form), [verb, *planned, *faults])
    except Invalid as invalid:
        return context.redirect(back_of(form), invalid.errors[""], "fault")
    context.outcome = "rehearsed"
    context.audited.update(run_id=str(run_id), orders=len(planned))
    row = (run_id, context.shop, verb, context.actor, request or {}, faults, back_of(form), datetime.now(UTC))
    async with context.unit() as unit:
        if await store.add_run(unit.connection, row):
            await store.add_items(unit.connection, context.shop, run_id, planned)
    return context.redirect(f"/orders/runs/{run_id}")


def back_of(form: Form) -> str:
    """Return the address of the list the form came from."""
    return form["back"] if is_local_path(form["back"]) else "/orders"


async def _run(context: PageContext) -> Run:
    run_id = context.path_uuid("run")
    async with context.reading() as connection:
        run = await read_run(connection, context.shop, run_id)
    if run is None:
        raise Missing
    return run


def _require(context: PageContext, run: Run) -> None:
    demand = VERBS[run.verb].demand
    if not context.may(demand):
        raise NotAllowed(demand)


def _show(context: PageContext, run: Run) -> Response:
    words = VERBS[run.verb]
    left_out = [item for item in run.items if item.state is ItemState.LEFT_OUT]
    return context.render(
        "orders/run.html",
        run=run,
        counts=run.counts,
        title=gettext(words.title),
        tone=words.tone,
        item_state_words=item_state_words(run.verb),
        button=start_button(run.verb, run.to_do),
        items=[item for item in run.items if item.state is not ItemState.LEFT_OUT],
        left_out=left_out,
        packed=[item.order_id for item in run.items if item.state is ItemState.DONE],
        why=_why,
        faults=[(one["line"], one["text"], fault_text(one["why"], one["value"])) for one in run.faults],
        sums=_sums(run.items) if run.verb is Verb.CANCEL else (),
        may_carry_out=context.may(words.demand),
    )


def _why(item: Item) -> str:
    return " ".join(dict.fromkeys(explain(reason) for reason in item.reasons))


def _sums(items: Sequence[Item]) -> list[tuple[str, int, int, int]]:
    """Return by currency: reduction of the amount due, units that return, amount that would be owed to
    customers.
    """
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for item in items:
        if item.state is not ItemState.LEFT_OUT:
            sums = found[item.summary["currency"]]
            sums[0] += item.summary["due_change_minor"]
            sums[1] += item.summary["units"]
            sums[2] += max(0, -item.summary["balance_minor"])
    return [(currency, *sums) for currency, sums in sorted(found.items())]  # type: ignore[misc]


def _titles() -> dict[str, str]:
    return {verb.value: gettext(words.title) for verb, words in VERBS.items()}
