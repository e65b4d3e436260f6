"""The merchant's guide: complete in both languages, in the words of the pages, searchable, open to everybody."""

import re
import struct
from functools import cache
from pathlib import Path

import pytest

from services.orders.backoffice.access.permissions import ROLES, Permission, Role
from services.orders.backoffice.guide.pages import demands, path_of
from services.orders.backoffice.guide.pictures import PICTURES
from services.orders.backoffice.guide.reading import (
    GuideUnreadable,
    Kind,
    Picture,
    Piece,
    Task,
    label_key,
    plain,
    read_task,
)
from services.orders.backoffice.guide.tasks import CONTENT, GROUPS, ORDER, all_tasks, search, task_about
from services.orders.backoffice.language.extracting import used
from services.orders.backoffice.language.translating import LANGUAGES, NARROW, read_french
from tests.backoffice.browser import Backoffice

BROWSER_TESTS = Path(__file__).resolve().parents[1] / "browser"
MOST_PICTURES, MOST_BYTES, SHORTEST_TEXT = 12, 60_000, 20

BOTH = pytest.mark.parametrize("language", LANGUAGES)
EXAMPLE = """# A task
group: money
needs: payments.view
see: other

![The page.](a-page)

Open [the page](/payments), see [[Amount]].

1. Press [[Refund %(amount)s]].
- A remark about [[tab|Archived]].
"""


@cache
def texts_of_pages() -> set[tuple[str | None, str]]:
    """Every text of pages and code; those of the guide itself do not count."""
    return {
        (context, one)
        for (context, text), places in used().items()
        if not all(place.startswith("guide/") for place in places)
        for one in ([text] if isinstance(text, str) else text)
    }


def pieces(task: Task, kind: Kind) -> list[Piece]:
    return [piece for sentence in task.sentences for piece in sentence if piece.kind is kind]


@BOTH
def test_every_quoted_button_and_field_is_a_text_of_a_page(language: str) -> None:
    unknown = {
        f"{task.slug}.txt ({language}): [[{piece.target}]]"
        for task in all_tasks(language).values()
        for piece in pieces(task, Kind.LABEL)
        if label_key(piece.target) not in texts_of_pages()
    }
    assert unknown == set(), "a button or field was renamed, or this was never its name"


def test_every_quoted_button_and_field_has_its_french_text() -> None:
    french = read_french()
    quoted = {piece.target for task in all_tasks("fr").values() for piece in pieces(task, Kind.LABEL)}
    missing = [one for one in quoted if french.get(label_key(one)[1], label_key(one)[0]) is None]
    assert missing == []


def test_both_languages_have_the_same_tasks_with_the_same_steps() -> None:
    french, english = all_tasks("fr"), all_tasks("en")
    assert list(french) == list(english) == list(ORDER)
    for slug, task in french.items():
        other = english[slug]
        assert (task.group, task.needs, task.pages, task.see) == (
            other.group,
            other.needs,
            other.pages,
            other.see,
        ), slug
        assert [one.name for one in task.pictures] == [one.name for one in other.pictures], slug
        for mine, theirs in zip(task.sentences, other.sentences, strict=True):
            assert _targets(mine) == _targets(theirs), f"{slug}: {plain(mine)!r} and {plain(theirs)!r}"


def _targets(sentence: tuple[Piece, ...]) -> list[tuple[Kind, str]]:
    return sorted((piece.kind, piece.target) for piece in sentence if piece.kind is not Kind.WORDS)


@BOTH
def test_every_link_leads_to_a_page_and_every_task_to_others(language: str) -> None:
    tasks = all_tasks(language)
    for task in tasks.values():
        for link in pieces(task, Kind.LINK):
            assert path_of(link.target) in demands(), f"{task.slug}.txt ({language}): no page {link.target}"
        assert task.see, f"{task.slug}.txt: name related tasks after see:"
        assert set(task.see) <= set(tasks) - {task.slug}, task.slug
        assert task.group in GROUPS, task.slug
        assert set(task.needs) <= {one.value for one in Permission}, task.slug
        assert task.steps, task.slug


@BOTH
def test_who_may_do_a_task_may_open_the_page_of_its_first_step(language: str) -> None:
    for task in all_tasks(language).values():
        links = [piece for piece in task.steps[0] if piece.kind is Kind.LINK]
        for link in links[:1]:
            roles = [role for role in Role if all(_may(role, need) for need in task.needs)]
            demand = demands()[path_of(link.target)]
            assert all(not isinstance(demand, Permission) or _may(role, demand) for role in roles), task.slug


def _may(role: Role, permission: str) -> bool:
    return Permission(permission) in ROLES[role]


@BOTH
def test_no_bracket_of_the_format_is_left_in_the_text(language: str) -> None:
    for task in all_tasks(language).values():
        for sentence in task.sentences:
            assert not re.search(r"[\[\]{}*]|%\(", plain(sentence)), f"{task.slug}: {plain(sentence)}"


def test_a_file_is_read_into_sentences() -> None:
    task = read_task("example", EXAMPLE, "fr")
    assert (task.title, task.group, task.needs, task.see) == (
        "A task",
        "money",
        ("payments.view",),
        ("other",),
    )
    assert [plain(one) for one in task.intro] == ["Open the page, see Montant."]
    assert task.pictures == (Picture("a-page", "The page."),)
    assert [plain(one) for one in task.steps] == ["Press Rembourser …."]
    assert task.remarks[0][1] == Piece(Kind.LABEL, "Archivées", "tab|Archived")


def test_french_sentences_have_narrow_spaces() -> None:
    task = read_task("example", "# Titre\ngroup: money\n\nUn mot : « [[Amount]] » !", "fr")
    assert plain(task.intro[0]) == f"Un mot{NARROW}: «{NARROW}Montant{NARROW}»{NARROW}!"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("No title", "begin it with '# '"),
        ("# Title\n\nText", "no group"),
        ("# Title\ncolour: red\n\nText", "'colour: red' is none of"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(text: str, why: str) -> None:
    with pytest.raises(GuideUnreadable, match=re.escape(why)):
        read_task("example", text, "en")


@BOTH
def test_every_picture_is_small_has_a_text_of_its_own_and_is_shown(language: str) -> None:
    shown = [picture for task in all_tasks(language).values() for picture in task.pictures]
    files = {path.stem: path for path in (PICTURES / language).iterdir()}
    assert sorted(files) == sorted(picture.name for picture in shown), (
        "run the pictures again (see pictures.py)"
    )
    assert len(files) <= MOST_PICTURES
    assert max(path.stat().st_size for path in files.values()) <= MOST_BYTES
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in files.values())
    assert len({picture.alt for picture in shown}) == len(shown)
    assert min(len(picture.alt) for picture in shown) > SHORTEST_TEXT


def test_every_task_is_done_by_a_test_in_a_browser() -> None:
    """`read(visitor, …)` names the task that a test follows."""
    sources = [path.read_text(encoding="utf-8") for path in BROWSER_TESTS.glob("test_guide*.py")]
    followed = {
        slug for source in sources for slug in re.findall(r'await read\(visitor, "([a-z-]+)"\)', source)
    }
    assert set(ORDER) - followed == set()


def test_nothing_but_tasks_is_in_the_folder() -> None:
    assert {path.suffix for path in CONTENT.glob("*/*")} == {".txt"}


@pytest.mark.parametrize(
    ("language", "text", "first"),
    [
        ("fr", "cheque", "receive-payment"),
        ("fr", "CHÈQUE", "receive-payment"),
        ("en", "refund", "refund"),
        ("fr", "avoir facture", "invoices"),
        ("en", "tracking number", "tracking"),
        ("fr", "effacer donnees", "erasure"),
    ],
)
def test_a_search_folds_accents_and_puts_titles_first(language: str, text: str, first: str) -> None:
    assert search(language, text)[0].task.slug == first


def test_a_search_finds_the_names_of_buttons_and_nothing_for_nothing() -> None:
    assert "ship" in [found.task.slug for found in search("fr", "Notifier le client")]
    assert search("fr", "zzz") == search("fr", "  ") == []


@pytest.mark.parametrize(
    ("path", "slug"),
    [
        ("/orders", "orders-page"),
        ("/orders/K7ABC", "follow-order"),
        ("/orders/K7ABC/refund", "refund"),
        ("/parcels/to-ship", "ship"),
        ("/mails/addresses/suppressed", "suppressed"),
        ("/settings/mails/recap/fr", "mail-texts"),
        ("/settings/mails", "mail-switches"),
        ("/stock/article", "stock"),
        ("/account", None),
    ],
)
def test_a_page_leads_to_the_task_that_is_about_it(path: str, slug: str | None) -> None:
    task = task_about("fr", path)
    assert (task and task.slug) == slug


@pytest.mark.parametrize("role", list(Role))
async def test_everybody_signed_in_reads_it_with_links_they_may_follow(
    backoffice: Backoffice, role: Role
) -> None:
    person = await backoffice.signed_in(role)
    contents = (await person.get("/guide")).text
    assert all(f'href="/guide/{slug}"' in contents for slug in all_tasks("en"))
    shown = await person.get("/guide/receive-payment")
    assert shown.status == 200
    assert ('class="notice' in shown.text) == (role is Role.FULFILMENT)
    staff = await person.get("/guide/staff")
    assert ('href="/settings/staff"' in staff.text) == (role is Role.OWNER)


async def test_nobody_else_reads_it_and_an_unknown_task_is_missing(backoffice: Backoffice) -> None:
    person = await backoffice.signed_in()
    assert (await person.get("/guide/nothing")).status == 404
    assert (await person.get("/guide?q=%00%3Cb%3E")).status == 200
    assert (await person.get("/guide/about?page=/settings/tags")).headers["location"] == "/guide/tags"
    assert (await person.get("/guide/about?page=//elsewhere.example")).headers["location"] == "/guide"
    assert (await backoffice.browser().get("/guide")).status == 303


@BOTH
async def test_a_picture_is_shown_in_the_readers_language_with_its_size(
    backoffice: Backoffice, language: str
) -> None:
    person = await backoffice.signed_in(language=language)
    picture = all_tasks(language)["pack"].pictures[0]
    [(src, alt, width, height)] = re.findall(
        r'<img src="([^"]+)" alt="([^"]+)" width="(\d+)" height="(\d+)">',
        (await person.get("/guide/pack")).text,
    )
    assert (src.endswith(f"/guide/{language}/pack.png"), alt) == (True, picture.alt)
    served = (await person.get(src)).response
    assert (served.headers["content-type"], "content-encoding" in served.headers) == ("image/png", False)
    assert served.content == (PICTURES / language / "pack.png").read_bytes()
    assert struct.unpack(">II", served.content[16:24]) == (int(width), int(height))


async def test_every_link_of_a_step_opens_for_the_owner(backoffice: Backoffice) -> None:
    owner = await backoffice.signed_in()
    targets = {link.target for task in all_tasks("en").values() for link in pieces(task, Kind.LINK)}
    answers = {target: (await owner.get(target)).status for target in targets}
    assert {target: status for target, status in answers.items() if status != 200} == {}
