"""What is derived from the contracts: current, deterministic, valid JSON Schema, complete."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from contracts.catalogue import CATALOGUE
from contracts.generate import FOLDER, MarkersMissing, derived, replaced, write

SCHEMAS = {kind: json.loads((FOLDER / "schemas" / f"{kind}.json").read_bytes()) for kind in CATALOGUE}


def test_the_committed_files_are_what_the_contracts_give() -> None:
    differing = [
        path for path, text in derived(FOLDER).items() if (FOLDER / path).read_bytes().decode() != text
    ]
    assert differing == [], "run `make contracts` and commit"
    assert {path.stem for path in (FOLDER / "schemas").iterdir()} == set(CATALOGUE)


def test_the_same_contracts_always_give_the_same_text() -> None:
    """In another process, with another seed for sets and hashes."""
    program = (
        "import hashlib, json; from contracts.generate import FOLDER, derived; "
        "print(hashlib.sha256(json.dumps(derived(FOLDER)).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=FOLDER.parent,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_writing_brings_a_folder_up_to_date_and_then_changes_nothing(tmp_path: Path) -> None:
    assert len(write(tmp_path)) == len(CATALOGUE) + 1
    assert write(tmp_path) == []
    (tmp_path / "asyncapi.json").write_text("{}")
    assert write(tmp_path) == ["asyncapi.json"]


@pytest.mark.parametrize("kind", CATALOGUE)
def test_a_schema_is_one_and_describes_its_message(kind: str) -> None:
    schema = SCHEMAS[kind]
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert schema["$id"] == f"urn:comptoir:message:{kind}"
    assert schema["title"] == CATALOGUE[kind].message.__name__
    assert schema["description"].endswith(".")
    assert schema.get("additionalProperties", True) is True


def test_a_readme_without_markers_is_refused_and_names_which_lines_it_needs() -> None:
    with pytest.raises(MarkersMissing, match="<!-- messages: generated -->"):
        replaced("# nothing here\n", "messages", "| table |\n")
