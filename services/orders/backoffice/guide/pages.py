"""The guide: its table of contents with a search, a page per task, and the link to a task from any page."""

from collections.abc import Mapping
from functools import cache

from starlette.responses import Response

from services.orders import backoffice
from services.orders.backoffice.access.permissions import ROLES, Demand, Entry, Permission, Role
from services.orders.backoffice.guide.pictures import size_of, static_name
from services.orders.backoffice.guide.reading import Task
from services.orders.backoffice.guide.tasks import all_tasks, contents, search, task_about
from services.orders.backoffice.language.translating import N_
from services.orders.backoffice.web.page_context import Missing, PageContext
from services.orders.backoffice.web.routing import Pages, found_in

pages = Pages()
pages.in_menu("/guide", N_("Guide"), "guide", 95, Entry.SIGNED_IN)
LONGEST_SEARCH = 100


@pages.get("/guide", Entry.SIGNED_IN)
async def show_contents(context: PageContext) -> Response:
    """Show all tasks, or those that contain the words of a search."""
    language, text = context.locale.language, context.query.get("q", "").strip()[:LONGEST_SEARCH]
    return context.render(
        "guide/contents.html", text=text, found=search(language, text), groups=contents(language)
    )


@pages.get("/guide/about", Entry.SIGNED_IN)
async def show_about(context: PageContext) -> Response:
    """Redirect from a page to the task that is about it."""
    task = task_about(context.locale.language, context.query.get("page", ""))
    return context.redirect(f"/guide/{task.slug}" if task else "/guide")


@pages.get("/guide/{task}", Entry.SIGNED_IN)
async def show_task(context: PageContext) -> Response:
    """Show a task, step by step."""
    tasks = all_tasks(context.locale.language)
    task = tasks.get(context.path("task"))
    if task is None:
        raise Missing
    return context.render(
        "guide/task.html",
        task=task,
        picture_name=static_name,
        picture_size=size_of,
        also=[tasks[slug] for slug in task.see],
        roles=roles_of(task),
        is_ours=context.person.role in roles_of(task),
        may_open=lambda href: context.may(demands()[path_of(href)]),
        groups=contents(context.locale.language),
    )


def roles_of(task: Task) -> list[Role]:
    """Return the roles that may do everything a task needs."""
    needed = {Permission(name) for name in task.needs}
    return [role for role in Role if needed <= ROLES[role]]


def path_of(href: str) -> str:
    """Return the path of an address without query and fragment."""
    return href.partition("#")[0].partition("?")[0]


@cache
def demands() -> Mapping[str, Demand]:
    """Return what every page without a parameter in its path requires, to leave out links that would be rejected."""
    routes, _ = found_in(backoffice)
    return {page.path: page.demand for page in routes if page.method == "GET" and "{" not in page.path}
