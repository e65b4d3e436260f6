"""Texts to be translated, and the entries the French catalogues lack or no longer need.

`python -m services.orders.backoffice.language.extracting` prints the missing ones, as entries to paste into a
file of `locale/fr`, and the unused ones; exit status 1 when there are any.
"""

import sys
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent
CATALOGUES = Path(__file__).with_name("locale") / "fr"
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "N_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2.ext:babel_extract")]
Key = tuple[str | None, str | tuple[str, ...]]


def used(folder: Path = ROOT) -> dict[Key, list[str]]:
    """Return every text in pages and code, with the places where it occurs."""
    found: dict[Key, list[str]] = {}
    for name, line, text, _, context in extract_from_dir(
        str(folder),
        METHODS,
        {
            "**/templates/**.html": {
                "trimmed": "true",
                "newstyle_gettext": "true",
                "extensions": "jinja2.ext.do",
            }
        },
        KEYWORDS,
        callback=None,
    ):
        key = (context, text if isinstance(text, str) else tuple(text))
        found.setdefault(key, []).append(f"{name}:{line}")
    return found


def translated(
    folder: Path = CATALOGUES,
) -> dict[Key, list[tuple[str, tuple[str, ...]]]]:
    """Return the French catalogues: by text the areas that have it, each with its translation."""
    found: dict[Key, list[tuple[str, tuple[str, ...]]]] = {}
    for path in sorted(folder.glob("*.po")):
        for context, text, strings in _messages(path):
            found.setdefault((context, text), []).append((path.stem, strings))
    return found


def _messages(path: Path) -> Iterator[tuple[str | None, str | tuple[str, ...], tuple[str, ...]]]:
    with path.open("rb") as file:
        catalogue: Catalog = read_po(file, locale="fr")
    for message in catalogue:
        if message.id:
            text = message.id if isinstance(message.id, str) else tuple(message.id)
            strings = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
            yield message.context, text, tuple(str(one) for one in strings)


def missing() -> dict[Key, list[str]]:
    """Return texts without a complete French translation, with their places."""
    known = {
        key
        for key, entries in translated().items()
        if all(
            all(strings) and len(strings) == (1 if isinstance(key[1], str) else 2) for _, strings in entries
        )
    }
    return {key: places for key, places in used().items() if key not in known}


def unused() -> dict[Key, list[str]]:
    """Return translations of texts that are not used, with their areas."""
    used_texts = used()
    return {
        key: [area for area, _ in entries] for key, entries in translated().items() if key not in used_texts
    }


def as_entries(texts: Mapping[Key, list[str]]) -> str:
    """Return the texts as entries of a catalogue, to be filled in."""
    catalogue = Catalog(locale="fr")
    for (context, text), places in texts.items():
        locations = [(name, int(line)) for name, _, line in (place.rpartition(":") for place in places[:3])]
        catalogue.add(text, locations=locations, context=context)
    file = BytesIO()
    write_po(file, catalogue, omit_header=True)
    return file.getvalue().decode()


def main() -> int:
    """Run the command."""
    lacking, idle = missing(), unused()
    sys.stdout.write(as_entries(lacking))
    for (_, text), areas in idle.items():
        sys.stdout.write(f"# not used any more ({', '.join(areas)}.po): {text!r}\n")
    return 1 if lacking or idle else 0


if __name__ == "__main__":
    raise SystemExit(main())
