"""Manual stock changes: received or removed units, a count's result, the first count of a new article.

Only fulfillment changes stock, and the page waits for its outcome. A count is sent as the difference from
what the form showed, so a form made before the level changed is rejected instead of undoing the changes in
between.
"""

from collections.abc import Mapping

from starlette.responses import Response

from contracts.fulfillment import AdjustStock, SetStock
from services.orders.api.actions import store as api_store
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.stock.pages import ARTICLE, LONGEST, Article, article_href, read_article, show
from services.orders.backoffice.web.actions.commanding import answer, key_of, send
from services.orders.backoffice.web.clients.owners import ServiceUnavailable
from services.orders.backoffice.web.routing import Pages
from services.orders.backoffice.web.visit import PageContext
from services.orders.order.requests import AdjustmentRequest, StockRequest

pages = Pages()
NEW = "/stock/new"
MOST = 1_000_000


@pages.post(ARTICLE, Permission.STOCK_ADJUST, action="stock.adjust")
async def adjust(context: PageContext) -> Response:
    """Change a level by a number of units, or to the counted one."""
    form, article = await context.form(), await read_article(context)

    async def again(errors: Mapping[str, str]) -> Response:
        return await show(
            context, {"quantity" if name == "change" else name: why for name, why in errors.items()}
        )

    try:
        asked = adjustment_asked(article.sku, form)
        await _require_fresh(context, article, form)
        outcome = await send(context, None, form, lambda _: _adjusting(context, asked))
    except Invalid as invalid:
        return await again(invalid.errors)
    context.audited.update(sku=article.sku)
    flash = gettext("The stock is adjusted.")
    return await answer(context, outcome, form, to=article_href(article.sku), flash=flash, again=again)


@pages.get(NEW, Permission.STOCK_ADJUST)
async def show_new(context: PageContext) -> Response:
    """Show the form for an article that was never counted at a location."""
    return _show_new(context, {})


@pages.post(NEW, Permission.STOCK_ADJUST, action="stock.count")
async def count_new(context: PageContext) -> Response:
    """Set the units on hand where nothing was ever counted."""
    form = await context.form()

    async def again(errors: Mapping[str, str]) -> Response:
        return _show_new(context, {name.rpartition(".")[2]: why for name, why in errors.items()})

    try:
        asked = await _count_asked(context, form)
        outcome = await send(context, None, form, lambda _: _counting(context, asked))
    except Invalid as invalid:
        return await again(invalid.errors)
    flash = gettext("The article is in stock.")
    to = article_href(asked.levels[0].sku)
    return await answer(context, outcome, form, to=to, flash=flash, again=again)


def adjustment_asked(sku: str, form: Form) -> AdjustmentRequest:
    """Return the request, depending only on the form's fields, so that a repeat is the same request. Raises
    Invalid.
    """
    typed = form["quantity"].replace("\N{MINUS SIGN}", "-").strip().removeprefix("+")
    counted = form["way"] == "counted"
    units = Form([("quantity", typed)]).whole("quantity", 0 if counted else -MOST, MOST)
    if units is None:
        raise Invalid(quantity=gettext("Fill this in."))
    change = units - _seen(form) if counted else units
    if change == 0:
        raise Invalid(quantity=gettext("This changes nothing."))
    return form.model(AdjustmentRequest, sku=sku, location=form["location"], change=change)


def _seen(form: Form) -> int:
    """Return the units on hand that the form showed at its location. Raises Invalid."""
    seen = form.whole(f"seen-{form['location']}", 0, MOST)
    if seen is None:
        raise Invalid(location=gettext("Choose one of the list."))
    return seen


async def _require_fresh(context: PageContext, article: Article, form: Form) -> None:
    """Check that the level is the one a count was compared with. Raises Invalid, unless the very form was
    sent before.
    """
    if form["way"] != "counted" or await _was_sent(context, form):
        return
    if isinstance(article.owner, ServiceUnavailable):
        raise Invalid(**{"": gettext("Stock can’t be looked up right now; try again in a moment.")})
    now = article.on_hand(form["location"])
    if now is not None and now != _seen(form):
        text = gettext(
            "The stock has moved since this page was made: it says %(now)s now. Count again.", now=now
        )
        raise Invalid(quantity=text)


async def _was_sent(context: PageContext, form: Form) -> bool:
    async with context.reading() as connection:
        return await api_store.was_sent(connection, context.shop, key_of(form))


async def _count_asked(context: PageContext, form: Form) -> StockRequest:
    """Return the first count of an article at a location. Raises Invalid: also when there was one before."""
    sku, location = form.text("sku", LONGEST), form.text("location", LONGEST) or "main"
    on_hand = form.whole("on_hand", 0, MOST)
    empty = {
        name: gettext("Fill this in.")
        for name, value in (("sku", sku), ("on_hand", on_hand))
        if value is None
    }
    if empty or sku is None:
        raise Invalid(**empty)
    if not await _was_sent(context, form):
        owner = await context.app_state.clients.get(
            "fulfillment", "/internal/stock", shop=context.shop, sku=sku
        )
        if isinstance(owner, ServiceUnavailable):
            raise Invalid(**{"": gettext("Stock can’t be looked up right now; try again in a moment.")})
        if owner.status == 200 and Article(sku, owner).on_hand(location) is not None:
            raise Invalid(sku=gettext("This article is in stock at this location already: adjust it there."))
    return form.model(StockRequest, levels=[{"sku": sku, "location": location, "on_hand": on_hand}])


def _adjusting(context: PageContext, asked: AdjustmentRequest) -> AdjustStock:
    return asked.command(context.shop, context.actor)


def _counting(context: PageContext, asked: StockRequest) -> SetStock:
    return asked.command(context.shop, context.actor)


def _show_new(context: PageContext, errors: Mapping[str, str]) -> Response:
    form = context.form_read
    return context.render("stock/new.html", 422 if errors else 200, typed=form, errors=errors)
