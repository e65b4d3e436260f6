"""Check that the derived files are current and that every message ever published can still be read.

    python -m contracts.check

Exit status 1, with what to do, when a derived file differs from what the contracts give, or when a schema
differs incompatibly from any version of it committed since the newest tag (without a tag: ever). Outside a
git checkout, in an unpacked archive, there is no history and only the first is checked.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contracts.catalogue import CATALOGUE
from contracts.derived.compatibility import incompatibilities
from contracts.generate import FOLDER, SCHEMAS, current, derived

WAY_OUT = """\
A published message changes additively only: new optional fields, wider limits, new enum members.
Undo the change, or leave this message as it is and add its next major version beside it: a class of its own
(OrderPlacedV2 with wire_name "order.placed.v2"), an entry in contracts/catalogue.py, a sample in
contracts/samples/, then `make contracts`. Both versions are sent until no listener needs the old one."""


class HistoryUnreadable(Exception):
    """This is a git checkout, but git failed, so the published schemas can't be read."""


def outdated(folder: Path) -> list[str]:
    """Return derived files of `folder` that differ from what the contracts give, and schemas without a message."""
    wanted = derived(folder)
    differing = [path for path, text in wanted.items() if current(folder / path) != text]
    present = {f"{SCHEMAS}/{path.name}" for path in (folder / SCHEMAS).glob("*.json")}
    return sorted([*differing, *(present - wanted.keys())])


def broken(folder: Path) -> Iterator[str]:
    """Return incompatible changes against the schemas in the history of the checkout around `folder`."""
    today = {path: json.loads(text) for path, text in derived(folder).items() if path.startswith(SCHEMAS)}
    for path, revision, published in published_schemas(folder):
        name = Path(path).stem
        if path not in today:
            yield f"{name} (published in {revision}): the message was removed"
            continue
        for difference in incompatibilities(published, today[path]):
            yield f"{name} (published in {revision}): {difference}"


def published_schemas(folder: Path) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Return each version of each schema since the newest tag, newest first: path in `folder`, commit, schema.

    Empty outside a checkout. Raises HistoryUnreadable.
    """
    if not (folder.parent / ".git").exists() or not _git(folder, "rev-list", "--all", "--max-count=1"):
        return
    newest_first = ("--sort=-version:refname", "--sort=-creatordate")
    tag = _git(folder, "tag", "--merged", "HEAD", *newest_first).split("\n")[0]
    seen: set[str] = set()
    for revision, path, blob in [*_since(folder, tag), *_at(folder, tag)]:
        if blob not in seen:
            seen.add(blob)
            yield path, revision, json.loads(_git(folder, "cat-file", "blob", blob))


def _since(folder: Path, tag: str) -> Iterator[tuple[str, str, str]]:
    """Return versions written by commits after the tag; without a tag, by all commits."""
    revisions = f"{tag}..HEAD" if tag else "HEAD"
    options = ("--raw", "-m", "--no-abbrev", "--no-renames", "--relative", "--diff-filter=AM", "--format=%h")
    revision = ""
    for line in _git(folder, "log", *options, revisions, "--", SCHEMAS).splitlines():
        if line.startswith(":"):
            facts, path = line.split("\t")
            yield revision, path, facts.split(" ")[3]
        elif line:
            revision = line


def _at(folder: Path, tag: str) -> Iterator[tuple[str, str, str]]:
    """Return the versions at the tag."""
    for line in _git(folder, "ls-tree", "-r", tag, "--", SCHEMAS).splitlines() if tag else ():
        facts, path = line.split("\t")
        yield tag, path, facts.split(" ")[2]


def _git(folder: Path, *arguments: str) -> str:
    """Return git's output for `folder`, ignoring the repository that a hook's environment names."""
    elsewhere = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY"}
    environment = {name: value for name, value in os.environ.items() if name not in elsewhere}
    command = ["git", "-c", "core.quotePath=false", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=True)
    except OSError as error:
        raise HistoryUnreadable(f"git can't be started ({error}); install git") from None
    except subprocess.CalledProcessError as error:
        raise HistoryUnreadable(f"`git {arguments[0]}` failed: {error.stderr.strip()}") from None
    return done.stdout.strip()


def complaints(folder: Path) -> Iterator[str]:
    """Return all errors, as paragraphs for a person."""
    stale = outdated(folder)
    if stale:
        paths = "\n".join(f"  contracts/{path}" for path in stale)
        yield f"These files are not what the contracts give; run `make contracts` and commit them:\n{paths}"
    differences = list(broken(folder))
    if differences:
        listed = "\n".join(f"  {difference}" for difference in differences)
        yield f"These changes break messages that were published:\n{listed}\n{WAY_OUT}"


def main(folder: Path = FOLDER) -> int:
    """Print the errors and return the exit status."""
    try:
        found = list(complaints(folder))
    except HistoryUnreadable as error:
        found = [f"The history of the schemas can't be read: {error}"]
    print("\n\n".join(found) or f"{len(CATALOGUE)} messages: schemas are current and compatible")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
