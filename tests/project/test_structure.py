"""What the project promises about its own shape."""

import ast
import functools
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from contracts.catalogue import SERVICES

ROOT = Path(__file__).resolve().parents[2]
TOP_LEVEL = {"services", "contracts", "deploy", "tests"}
ROOT_FILES = {
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "LICENSE",
    "Makefile",
    "pyproject.toml",
    "constraints.txt",
}
DOCUMENTS = sorted(
    [*ROOT.glob("*.md")]
    + [
        path
        for folder in ROOT.iterdir()
        if folder.is_dir() and folder.name not in {"var", ".git"}
        for path in folder.rglob("*.md")
    ]
)
MOST_FILES, MOST_ENTRIES, MOST_LINES = 15, 12, 300
"""Source files of a folder; entries of the largest service; lines of a source file."""


def test_the_top_level_is_what_was_agreed() -> None:
    entries = {entry.name for entry in ROOT.iterdir() if not entry.name.startswith(".")}
    assert entries - {"var"} == TOP_LEVEL | ROOT_FILES


def test_both_packages_name_the_licence_at_the_root() -> None:
    licence = (ROOT / "LICENSE").read_text()
    assert "Apache License" in licence
    assert "Version 2.0, January 2004" in licence
    for package in (ROOT, ROOT / "contracts"):
        project = tomllib.loads((package / "pyproject.toml").read_text())["project"]
        assert project["license"] == "Apache-2.0", package


def test_the_changelog_has_a_section_for_the_current_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    sections = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert sections[0] == "Unreleased"
    assert version in sections[1:]


def test_no_step_after_an_upgrade_comes_in_the_version_that_brings_them() -> None:
    """The versions before it would start on a database without what the step removed."""
    unreleased = (ROOT / "CHANGELOG.md").read_text().split("\n## [")[1]
    steps = [str(file.relative_to(ROOT)) for file in (ROOT / "services").rglob("migrations/after/*.sql")]
    assert "**Two steps of migrations.**" not in unreleased or steps == []


def test_contributing_names_every_command_of_the_makefile_and_no_other() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*?## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    rows = set(re.findall(r"^\| `make ([a-z-]+)`", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE))
    assert rows | {"help"} == targets


def test_a_folder_is_read_at_a_glance() -> None:
    sizes = {
        folder.relative_to(ROOT): len([path for path in folder.glob("*.py") if path.name != "__init__.py"])
        for part in ("services", "contracts", "deploy")
        for folder in [ROOT / part, *(ROOT / part).rglob("*")]
        if folder.is_dir()
    }
    assert {str(folder): size for folder, size in sizes.items() if size > MOST_FILES} == {}
    shown = [entry.name for entry in (ROOT / "services" / "orders").iterdir() if entry.name != "__pycache__"]
    assert len(shown) <= MOST_ENTRIES, sorted(shown)


def test_a_file_is_read_in_one_sitting() -> None:
    """A longer file holds two subjects. Tests are not counted: their length is their number of cases."""
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for part in ("services", "contracts", "deploy")
        for path in (ROOT / part).rglob("*.py")
    }
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}


def test_services_import_from_contracts_and_chassis_alone() -> None:
    strays = [
        f"{path.relative_to(ROOT)} imports {module}"
        for service in SERVICES
        for path in (ROOT / "services" / service).rglob("*.py")
        for module in _imports(path)
        if module.startswith(("services.", "deploy", "tests"))
        and not module.startswith(("services.chassis", f"services.{service}"))
    ]
    assert strays == []


def test_the_chassis_knows_no_service_and_contracts_know_nobody() -> None:
    forbidden = {
        "services/chassis": tuple(f"services.{service}" for service in SERVICES),
        "contracts": ("services", "deploy", "tests"),
    }
    strays = [
        f"{path.relative_to(ROOT)} imports {module}"
        for folder, prefixes in forbidden.items()
        for path in (ROOT / folder).rglob("*.py")
        for module in _imports(path)
        if module.startswith(prefixes)
    ]
    assert strays == []


def test_no_files_import_each_other_in_a_circle() -> None:
    imports = {module: _own_imports(path) - {module} for module, path in OWN_MODULES.items()}
    reached = {module: _reachable(imports, module) for module in imports}
    circles = {
        tuple(sorted(other for other in reached[module] if module in reached[other]))
        for module in imports
        if module in reached[module]
    }
    assert circles == set()


def test_no_import_of_our_own_is_hidden_from_the_running_program() -> None:
    """A block of `TYPE_CHECKING` or an import inside a function only hides a circle."""
    hidden = [
        f"{path.relative_to(ROOT)}:{statement.lineno}"
        for path in OWN_MODULES.values()
        for outer in ast.walk(ast.parse(path.read_text()))
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef)
        or (isinstance(outer, ast.If) and "TYPE_CHECKING" in ast.unparse(outer.test))
        for statement in ast.walk(outer)
        if isinstance(statement, ast.Import | ast.ImportFrom) and _own_names(statement)
    ]
    assert hidden == []


def test_no_import_of_our_own_is_relative() -> None:
    relative = [
        f"{path.relative_to(ROOT)}:{statement.lineno}"
        for path in OWN_MODULES.values()
        for statement in _import_statements(path)
        if isinstance(statement, ast.ImportFrom) and statement.level
    ]
    assert relative == []


def test_no_service_reads_anothers_tables() -> None:
    tables = {service: _tables(service) for service in SERVICES}
    strays = [
        f"{path.relative_to(ROOT)} names {table}"
        for service in SERVICES
        for others in [set().union(*(tables[other] for other in SERVICES if other != service))]
        for path in (ROOT / "services" / service).rglob("*.py")
        for table in _named_tables(path.read_text()) & others - tables[service]
    ]
    assert strays == []


def test_every_path_a_document_names_exists() -> None:
    missing = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in DOCUMENTS
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text())
        if not target.startswith(("http:", "https:")) and not (document.parent / target).exists()
    ]
    assert missing == []


def test_the_index_lists_every_decision_by_its_title_and_status() -> None:
    folder = ROOT / "services" / "chassis" / "decisions"
    rows = re.findall(
        r"^\| \[(\d{4})\]\((.+?)\) \| .+ \| (.+) \|$", (folder / "README.md").read_text(), re.MULTILINE
    )
    pages = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert [name for _, name, _ in rows] == pages
    assert [number for number, _, _ in rows] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    for number, name, status in rows:
        page = (folder / name).read_text()
        assert page.startswith(f"# {number}: "), name
        assert f"\nStatus: {status}\n" in page, name
        headings = re.findall(r"^## (.+)$", page, re.MULTILINE)
        assert headings[:2] == ["Context", "Decision"], name
        assert headings[-1] == "Consequences", name


def test_no_file_bears_a_name_that_means_nothing() -> None:
    empty_names = {"utils.py", "helpers.py", "base.py", "common.py", "misc.py"}
    found = [
        path for folder in TOP_LEVEL for path in (ROOT / folder).rglob("*.py") if path.name in empty_names
    ]
    assert found == []


def _module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


OWN_MODULES = {
    _module_of(path): path
    for folder in ("services", "contracts", "deploy")
    for path in sorted((ROOT / folder).rglob("*.py"))
}


def _own_names(statement: ast.Import | ast.ImportFrom) -> set[str]:
    """Return the files of this project that a statement imports."""
    if isinstance(statement, ast.Import):
        names = [alias.name for alias in statement.names]
    else:
        module = statement.module or ""
        names = [module, *(f"{module}.{alias.name}" for alias in statement.names)]
    return set(names) & OWN_MODULES.keys()


def _own_imports(path: Path) -> set[str]:
    return {name for statement in _import_statements(path) for name in _own_names(statement)}


@functools.cache
def _import_statements(path: Path) -> list[ast.Import | ast.ImportFrom]:
    """Return all import statements of a file, which is parsed once."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]


def _reachable(imports: dict[str, set[str]], start: str) -> set[str]:
    """Return every file that a file imports, directly or through others."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        fresh = imports[waiting.pop()] - found
        found |= fresh
        waiting += fresh
    return found


def _imports(path: Path) -> Iterator[str]:
    for node in _import_statements(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _named_tables(text: str) -> set[str]:
    """Return the words that a statement names where it has a table, in lower case."""
    found = re.findall(r"\b(?:from|join|into|update)(?=\s+(\w+))", text, re.IGNORECASE)
    return {name.lower() for name in found}


def _tables(service: str) -> set[str]:
    text = "\n".join(path.read_text() for path in (ROOT / "services" / service).glob("**/migrations/*.sql"))
    return set(re.findall(r"create table (?:if not exists )?([a-z_]+)", text, re.IGNORECASE))
