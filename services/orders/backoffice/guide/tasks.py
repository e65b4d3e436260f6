"""All tasks of the guide, its table of contents, its search, and the task that is about a page.

Read once, on first use: the files are part of the program. Both languages have the same tasks with the same steps
(checked by a test), so that a link to a task works in either.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from services.orders.backoffice.guide.reading import Sentence, Task, plain, read_task
from services.orders.backoffice.language.translating import N_

CONTENT = Path(__file__).with_name("content")
GROUPS: Mapping[str, str] = {
    "orders": N_("Find and follow orders"),
    "money": N_("Money"),
    "parcels": N_("Prepare and ship"),
    "customers": N_("Customers and mails"),
    "shop": N_("Set up the shop"),
}
ORDER: Sequence[str] = (
    *("orders-page", "filters", "search", "follow-order", "infos", "tags", "saved-views", "export"),
    *("edit-order", "archive", "cancel", "delete"),
    *("receive-payment", "payments-tab", "take-back", "refund", "external-refund", "invoices", "unmatched"),
    *("pack", "ship", "bulk", "tracking", "delivery", "stock", "low-stock"),
    *(
        "update-status",
        "conversation",
        "mail-answers",
        "quick-replies",
        "to-be-filed",
        "cancellation-request",
    ),
    *("mails", "suppressed", "mail-switches", "mail-texts", "customers", "erasure"),
    *("shop-settings", "payment-methods", "statuses", "staff"),
)
"""The order of the table of contents; tasks that are missing in it come last."""


@dataclass(frozen=True)
class SearchHit:
    """A task found by a search, and the sentence that matched (empty: the title did)."""

    task: Task
    excerpt: str


@cache
def all_tasks(language: str) -> Mapping[str, Task]:
    """Return the guide in a language: tasks by slug. Raises GuideUnreadable."""
    files = sorted((CONTENT / language).glob("*.txt"), key=lambda file: _rank(file.stem))
    return {file.stem: read_task(file.stem, file.read_text(encoding="utf-8"), language) for file in files}


def _rank(slug: str) -> tuple[int, str]:
    return (ORDER.index(slug) if slug in ORDER else len(ORDER), slug)


def contents(language: str) -> list[tuple[str, list[Task]]]:
    """Return the table of contents: every group's name (marked for translation) with its tasks."""
    tasks = all_tasks(language).values()
    return [(text, [task for task in tasks if task.group == group]) for group, text in GROUPS.items()]


def search(language: str, text: str) -> list[SearchHit]:
    """Return the tasks that contain every word of a text, ignoring accents and case; matches in the title come
    first.
    """
    wanted = folded(text).split()
    hits = [
        (_titles(task, wanted), SearchHit(task, _excerpt(task, wanted)))
        for task in all_tasks(language).values()
        if all(word in _searched(language)[task.slug] for word in wanted)
    ]
    return [found for _, found in sorted(hits, key=lambda hit: -hit[0])] if wanted else []


def _titles(task: Task, wanted: Sequence[str]) -> int:
    return sum(word in folded(f"{task.title} {task.words}") for word in wanted)


def _excerpt(task: Task, wanted: Sequence[str]) -> str:
    def hits(sentence: Sentence) -> int:
        return sum(word in folded(plain(sentence)) for word in wanted)

    best = max(task.sentences, key=hits, default=())
    return plain(best)


@cache
def _searched(language: str) -> Mapping[str, str]:
    return {
        task.slug: folded(" ".join([task.title, task.words, *map(plain, task.sentences)]))
        for task in all_tasks(language).values()
    }


def folded(text: str) -> str:
    """Return a text without accents and capitals, with plain spaces and apostrophes."""
    bare = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    return " ".join(bare.replace("’", "'").replace("œ", "oe").casefold().split())


def task_about(language: str, path: str) -> Task | None:
    """Return the task that is about a page: the one with the longest matching path."""
    tasks = all_tasks(language).values()
    named = [(_closeness(page), task) for task in tasks for page in task.pages if _is_of(path, page)]
    return max(named, key=lambda one: one[0])[1] if named else None


def _closeness(page: str) -> tuple[int, int]:
    parts = page.strip("/").split("/")
    return len(parts), sum(not part.startswith("{") for part in parts)


def _is_of(path: str, page: str) -> bool:
    """Return whether a path matches a page; `{order}` in a page matches any one segment."""
    parts, wanted = path.strip("/").split("/"), page.strip("/").split("/")
    return len(parts) >= len(wanted) and all(
        want.startswith("{") or want == part for want, part in zip(wanted, parts, strict=False)
    )
