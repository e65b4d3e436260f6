"""The README lists every check with its sentence, in the order in which they run."""

import re
from pathlib import Path

from deploy.auditor import auditing
from deploy.auditor.finding import CHECKS, sentence_of

README = Path(auditing.__file__).parent / "README.md"


def listed() -> list[tuple[str, str]]:
    """Each check with its sentence, as the README's table has them."""
    section = README.read_text("utf-8").split("## Checks\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^\| `(\w+)` \| (.+) \|$", section, flags=re.MULTILINE)


def test_the_readme_lists_every_check() -> None:
    assert dict(listed()) == {name: sentence_of(name) for name in CHECKS}


def test_the_readme_lists_them_in_their_sequence() -> None:
    assert [name for name, _ in listed()] == list(CHECKS)
