"""Imports in documents and in programs that stand in strings name what exists."""

import importlib
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IMPORT = re.compile(r"(?m)^\s*from ((?:services|deploy|contracts|tests)[\w.]*) import ([\w, ]+)")


def test_imports_in_texts_name_what_exists() -> None:
    missing = [
        f"{path.relative_to(ROOT)}: from {module} import {name}"
        for path, text in _texts()
        for module, names in IMPORT.findall(text)
        for name in (part.split(" as ")[0].strip() for part in names.split(","))
        if not _exists(module, name)
    ]
    assert missing == []


def _texts() -> Iterator[tuple[Path, str]]:
    for folder in ("services", "deploy", "tests", "contracts"):
        for path in (ROOT / folder).rglob("*.md"):
            yield path, path.read_text(encoding="utf-8")
        for path in (ROOT / folder).rglob("*.py"):
            source = path.read_text(encoding="utf-8")
            if "import " in source and '"""' in source:
                tokens = tokenize.generate_tokens(io.StringIO(source).readline)
                yield from ((path, token.string) for token in tokens if token.type == tokenize.STRING)


def _exists(module: str, name: str) -> bool:
    try:
        if hasattr(importlib.import_module(module), name):
            return True
        importlib.import_module(f"{module}.{name}")
    except ImportError:
        return False
    return True
