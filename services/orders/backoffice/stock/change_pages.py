"""Manual stock changes: received or removed units, a count's result, the first count of a new article.

Only fulfillment changes stock, and the page waits for its outcome. A count is sent as the difference from
what the form showed, so a form made before the level changed is rejected instead of reverting the changes in between.
"""

from uuid import UUID

from starlette.responses import Response

from contracts.fulfillment.stock import SetStockThreshold
from services.orders.api.owners.clients import ServiceUnavailable
from services.orders.backoffice.access.permissions import Permission
from services.orders.backoffice.forms.fields import Form, Invalid
from services.orders.backoffice.language.translating import gettext
from services.orders.backoffice.stock.pages import ARTICLE, LONGEST, Article, article_href, read_article, show
from services.orders.backoffice.web.actions.action import Errors, carry_out, command, was_sent
from services.orders.backoffice.web.page_context import PageContext
from services.orders.backoffice.web.routing import Pages
from services.orders.order.requests import AdjustmentRequest, StockRequest

pages = Pages()
NEW = "/stock/new"
MOST = 1_000_000


async def _show_article(context: PageContext, errors: Errors) -> Response:
    return await show(
        context, {"quantity" if name == "change" else name: why for name, why in errors.items()}
    )


async def _show_new(context: PageContext, errors: Errors) -> Response:
    errors_by_field = {name.rpartition(".")[2]: why for name, why in errors.items()}
    return context.render(
        "stock/new.html", 422 if errors else 200, typed=context.form_read, errors=errors_by_field
    )


@pages.post(ARTICLE, Permission.STOCK_ADJUST, action="stock.adjust", again=_show_article)
async def adjust(context: PageContext) -> Response:
    """Change a level by a number of units, or to the counted one."""
    form, article = context.form_read, await read_article(context)
    request = adjustment_request(article.sku, form)
    await _require_fresh(context, article, form)
    context.audited.update(sku=article.sku)
    adjustment = command(context, None, lambda _: request.command(context.shop, context.actor))
    to = article_href(article.sku)
    return await carry_out(context, adjustment, to=to, flash=gettext("Stock adjusted."))


@pages.get(NEW, Permission.STOCK_ADJUST)
async def show_new(context: PageContext) -> Response:
    """Show the form for an article that was never counted at a location."""
    return await _show_new(context, {})


@pages.post(NEW, Permission.STOCK_ADJUST, action="stock.count", again=_show_new)
async def count_new(context: PageContext) -> Response:
    """Set the units on hand where nothing was ever counted."""
    request = await _count_request(context, context.form_read)
    count = command(context, None, lambda _: request.command(context.shop, context.actor))
    to = article_href(request.levels[0].sku)
    return await carry_out(context, count, to=to, flash=gettext("Article added to stock."))


@pages.post(ARTICLE + "/threshold", Permission.STOCK_ADJUST, action="stock.threshold", again=show)
async def set_threshold(context: PageContext) -> Response:
    """Set the number of available units at or below which the shop is warned about an article; empty for no warning."""
    form, article = context.form_read, await read_article(context)
    threshold = form.whole("threshold", 0, MOST)
    context.audited.update(sku=article.sku)

    def message(_: UUID) -> SetStockThreshold:
        return SetStockThreshold(shop=context.shop, sku=article.sku, threshold=threshold, actor=context.actor)

    flash = gettext("Threshold saved.")
    to = article_href(article.sku)
    return await carry_out(context, command(context, None, message), to=to, flash=flash)


def adjustment_request(sku: str, form: Form) -> AdjustmentRequest:
    """Return the request, depending only on the form's fields, so that a repeat is the same request. Raises
    Invalid.
    """
    typed = form["quantity"].replace("\N{MINUS SIGN}", "-").strip().removeprefix("+")
    counted = form["way"] == "counted"
    units = Form([("quantity", typed)]).whole("quantity", 0 if counted else -MOST, MOST)
    if units is None:
        raise Invalid(quantity=gettext("This field is required."))
    change = units - _seen(form) if counted else units
    if change == 0:
        raise Invalid(quantity=gettext("This changes nothing."))
    return form.model(AdjustmentRequest, sku=sku, location=form["location"], change=change)


def _seen(form: Form) -> int:
    """Return the units on hand that the form showed at its location. Raises Invalid."""
    seen = form.whole(f"seen-{form['location']}", 0, MOST)
    if seen is None:
        raise Invalid(location=gettext("Choose an option from the list."))
    return seen


async def _require_fresh(context: PageContext, article: Article, form: Form) -> None:
    """Check that the level is still the one that the form showed. Raises Invalid, unless this form was sent before."""
    if form["way"] != "counted" or await was_sent(context):
        return
    if isinstance(article.owner, ServiceUnavailable):
        raise Invalid(**{"": gettext("Stock is unavailable right now; try again in a moment.")})
    now = article.on_hand(form["location"])
    if now is not None and now != _seen(form):
        text = gettext(
            "The stock has changed since this page was loaded: it is %(now)s now. Count again.", now=now
        )
        raise Invalid(quantity=text)


async def _count_request(context: PageContext, form: Form) -> StockRequest:
    """Return the first count of an article at a location. Raises Invalid, also when there was a count before."""
    sku, location = form.text("sku", LONGEST), form.text("location", LONGEST) or "main"
    on_hand = form.whole("on_hand", 0, MOST)
    empty = {
        name: gettext("This field is required.")
        for name, value in (("sku", sku), ("on_hand", on_hand))
        if value is None
    }
    if empty or sku is None:
        raise Invalid(**empty)
    if not await was_sent(context):
        owner = await context.app_state.clients.get(
            "fulfillment", "/internal/stock", shop=context.shop, sku=sku
        )
        if isinstance(owner, ServiceUnavailable):
            raise Invalid(**{"": gettext("Stock is unavailable right now; try again in a moment.")})
        if owner.status == 200 and Article(sku, owner).on_hand(location) is not None:
            raise Invalid(sku=gettext("This article is already in stock at this location: adjust it there."))
    return form.model(StockRequest, levels=[{"sku": sku, "location": location, "on_hand": on_hand}])
