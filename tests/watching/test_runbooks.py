"""Each page of an alert has its four parts, and every command in it exists with the options that are used."""

import ast
import re
from pathlib import Path

import pytest

from deploy.local.prometheus.watching import CONFIGURATION
from tests.watching.checking import check_command
from tests.watching.following import FOLDER, commands_of

INDEX = FOLDER / "README.md"
PAGES = sorted(page for page in FOLDER.glob("*.md") if page != INDEX)
NOT_PROVOKED = {
    "restore.md": "a restore needs a hub of its own: tests/journeys/test_restore.py follows the page"
}
"""Pages whose fault no test here provokes, and why."""
PARTS = ["What it means", "What to look at", "What to do", "How to know it is over"]
RULES = (CONFIGURATION / "rules.yml").read_text()
COMMANDS = [
    pytest.param(words, id=f"{page.stem}: {' '.join(words)}") for page in PAGES for words in commands_of(page)
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_its_four_parts_and_names_its_alerts(page: Path) -> None:
    text = page.read_text()
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == PARTS
    named = re.findall(r"`(\w+)`", text.split("\nAlerts: ", 1)[1].partition("\n")[0])
    url = f"runbook_url: deploy/runbooks/{page.name}"
    pointing = [block.split("\n", 1)[0] for block in RULES.split("- alert: ")[1:] if f"{url}\n" in block]
    assert sorted(named) == sorted(pointing)


def test_the_index_lists_every_alert_with_its_severity_and_page() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| \[(.+)\]\((.+)\) \|$", INDEX.read_text(), re.MULTILINE)
    blocks = RULES.split("- alert: ")[1:]
    expected = [
        (
            block.split("\n", 1)[0],
            re.findall(r"severity: (\w+)", block)[0],
            re.findall(r"runbooks/(.+)$", block, re.MULTILINE)[0],
        )
        for block in blocks
    ]
    assert [(alert, severity, page) for alert, severity, _, page in rows] == expected
    for *_, title, page in rows:
        assert (FOLDER / page).read_text().startswith(f"# {title}\n")


def test_every_page_has_a_test_that_provokes_its_fault() -> None:
    """The marker `runbook` of the tests in this folder names the pages."""
    trees = [ast.parse(file.read_text()) for file in Path(__file__).parent.glob("test_*.py")]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    markers = [call for call in calls if ast.unparse(call.func) == "pytest.mark.runbook"]
    words = [node for call in markers for node in ast.walk(call) if isinstance(node, ast.Constant)]
    provoked, pages = {str(word.value) for word in words}, {page.name for page in PAGES}
    assert pages - provoked == set(NOT_PROVOKED)
    assert provoked - pages == set()


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_exists_with_its_options(words: list[str], request: pytest.FixtureRequest) -> None:
    check_command(words, lambda: request.getfixturevalue("broker"))
