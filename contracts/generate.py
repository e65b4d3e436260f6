"""Generator of what is derived from the contracts: schemas/, asyncapi.json and the README's table of messages.

    python -m contracts.generate

All of it is committed, so that a reader needs no Python; `python -m contracts.check` fails when it is out
of date.
"""

import sys
from functools import cache
from pathlib import Path

from contracts.catalogue import CATALOGUE, STOREFRONT, Entry
from contracts.derived.asyncapi import ENVELOPE_ATTRIBUTES, REQUIRED_ATTRIBUTES, asyncapi
from contracts.derived.schema import schema_of, text_of
from contracts.envelope import PREFIX

FOLDER = Path(__file__).resolve().parent
SCHEMAS = "schemas"
README = "README.md"


class MarkersMissing(ValueError):
    """A document has no place for a generated table."""


def derived(folder: Path) -> dict[str, str]:
    """Return every derived file by its path inside `folder`, with the text it must have."""
    files = dict(_schemas())
    readme = folder / README
    if readme.exists():
        text = replaced(readme.read_text(encoding="utf-8"), "headers", headers_table())
        files[README] = replaced(text, "messages", messages_table())
    return files


@cache
def _schemas() -> dict[str, str]:
    files = {f"{SCHEMAS}/{entry.type}.json": text_of(schema_of(entry)) for entry in CATALOGUE.values()}
    return {**files, "asyncapi.json": text_of(asyncapi())}


def write(folder: Path) -> list[str]:
    """Update the derived files in `folder` and return the paths of those that changed.

    A schema without a message is left for `contracts.check` to refuse: a published message stays readable.
    """
    changed = {path: text for path, text in derived(folder).items() if current(folder / path) != text}
    for path, text in changed.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8", newline="\n")
    return list(changed)


def current(path: Path) -> str | None:
    """Return the text of a file, None if there is none."""
    return path.read_bytes().decode() if path.exists() else None


def replaced(text: str, name: str, table: str) -> str:
    """Return the text with a new table between its two markers. Raises MarkersMissing."""
    start, end = f"<!-- {name}: generated -->\n", f"<!-- {name}: end -->"
    if text.count(start) != 1 or text.count(end) != 1:
        raise MarkersMissing(f"{README} needs one line {start.strip()!r} and, after it, one {end!r}")
    before, _, rest = text.partition(start)
    return before + start + table + end + rest.partition(end)[2]


def headers_table() -> str:
    """Return the envelope's headers as a Markdown table."""
    rows = [
        f"| `{PREFIX}{name}` | {'yes' if name in REQUIRED_ATTRIBUTES else ''} | {meaning} |"
        for name, meaning in ENVELOPE_ATTRIBUTES.items()
    ]
    return "\n".join(["| header | required | meaning |", "|---|---|---|", *rows, ""])


def messages_table() -> str:
    """Return the catalogue as a Markdown table."""
    rows = [_row(entry) for entry in CATALOGUE.values()]
    return "\n".join(["| type | sender | listeners | outcomes |", "|---|---|---|---|", *rows, ""])


def _row(entry: Entry) -> str:
    listeners = f"{STOREFRONT}s (exchange `{entry.exchange}`)" if entry.public else ", ".join(entry.listeners)
    outcomes = ", ".join(f"`{outcome}`" for outcome in entry.outcomes)
    return f"| [`{entry.type}`]({SCHEMAS}/{entry.type}.json) | {entry.sender} | {listeners} | {outcomes} |"


def main() -> int:
    """Write the files and print which changed."""
    changed = write(FOLDER)
    for path in changed:
        print(f"contracts/{path} written")
    print(f"{len(CATALOGUE)} messages, {len(changed)} files changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
