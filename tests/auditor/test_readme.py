"""The README lists every law with its sentence, in the sequence of the checks."""

import re
from pathlib import Path

from deploy.auditor import auditing
from deploy.auditor.finding import CHECKS, sentence_of

README = Path(auditing.__file__).parent / "README.md"


def laws() -> list[tuple[str, str]]:
    """Each check with its sentence, as the README's table has them."""
    section = README.read_text("utf-8").split("## The laws\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^\| `(\w+)` \| (.+) \|$", section, flags=re.MULTILINE)


def test_the_readme_lists_every_law() -> None:
    assert dict(laws()) == {name: sentence_of(name) for name in CHECKS}


def test_the_readme_lists_them_in_their_sequence() -> None:
    assert [name for name, _ in laws()] == list(CHECKS)
