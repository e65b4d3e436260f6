"""Text of generated manifests: YAML whose strings are quoted, so that no value is taken for another type."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

LABELS = {"app.kubernetes.io/part-of": "comptoir"}
PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9./-]*")
WORDS_OF_YAML = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}
"""Words that YAML does not read as strings."""
Manifest = dict[str, Any]


def manifest(api: str, kind: str, name: str, **content: Any) -> Manifest:
    """Return an object with the labels of every object."""
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "labels": LABELS}, **content}


def text_of(objects: Iterable[Manifest], comment: str = "") -> str:
    """Return the objects as one file of YAML documents."""
    head = f"# {comment}\n" if comment else ""
    return head + "---\n".join("\n".join(_lines(one, "")) + "\n" for one in objects)


def _lines(value: Any, indent: str) -> Iterable[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _entry(f"{indent}{_scalar(key)}:", inner, indent + "  ")
    else:
        for inner in value:
            first, *others = (
                _lines(inner, indent + "  ") if _is_block(inner) else [indent + "  " + _flow(inner)]
            )
            yield f"{indent}- {first.lstrip()}"
            yield from others


def _entry(key: str, value: Any, indent: str) -> Iterable[str]:
    if _is_block(value):
        yield key
        yield from _lines(value, indent)
    else:
        yield f"{key} {_flow(value)}"


def _is_block(value: Any) -> bool:
    return isinstance(value, Mapping | Sequence) and not isinstance(value, str) and len(value) > 0


def _flow(value: Any) -> str:
    return _scalar(value) if isinstance(value, str) else json.dumps(value)


def _scalar(text: str) -> str:
    if PLAIN.fullmatch(text) and text.lower() not in WORDS_OF_YAML:
        return text
    return json.dumps(text, ensure_ascii=False)
