"""The package for a storefront's author: what its pyproject.toml ships runs on pydantic alone."""

import json
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import distribution, packages_distributions
from pathlib import Path
from typing import Any

import pytest

from contracts.derived.asyncapi import VERSION
from contracts.generate import FOLDER

PROJECT: dict[str, Any] = tomllib.loads((FOLDER / "pyproject.toml").read_text(encoding="utf-8"))
WHAT_PYDANTIC_NEEDS = (
    "pydantic",
    "pydantic-core",
    "annotated-types",
    "typing-extensions",
    "typing-inspection",
)

PROGRAM = """
import importlib, json, pkgutil, sys
import contracts
names = ["contracts", *(module.name for module in pkgutil.walk_packages(contracts.__path__, "contracts."))]
for name in names:
    importlib.import_module(name)
foreign = {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)
from contracts.catalogue import CATALOGUE
from importlib.resources import files
schema = json.loads(files("contracts").joinpath("schemas", "orders.order.placed.v1.json").read_text("utf-8"))
samples = [entry.name for entry in files("contracts").joinpath("samples").iterdir()]
print(json.dumps({"imported": names, "foreign": sorted(foreign), "file": contracts.__file__,
                  "title": schema["title"], "messages": len(CATALOGUE), "samples": len(samples)}))
"""


def shipped() -> list[Path]:
    """The files that the package holds by its pyproject.toml."""
    setuptools = PROJECT["tool"]["setuptools"]
    folders = [
        name.replace(".", "/").removeprefix("contracts").lstrip("/") for name in setuptools["packages"]
    ]
    patterns = [
        *(f"{folder}/*.py".lstrip("/") for folder in folders),
        *setuptools["package-data"]["contracts"],
    ]
    return sorted({path for pattern in patterns for path in FOLDER.glob(pattern)})


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package as shipped, pydantic and what pydantic needs: nothing else can be imported."""
    site = tmp_path_factory.mktemp("site")
    for path in shipped():
        target = site / "contracts" / path.relative_to(FOLDER)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    clients = packages_distributions()
    for package in (
        name for name, names in clients.items() if {*names} & {*WHAT_PYDANTIC_NEEDS, *underscored()}
    ):
        (site / place(package).name).symlink_to(place(package))
    return site


def underscored() -> set[str]:
    return {name.replace("-", "_") for name in WHAT_PYDANTIC_NEEDS}


def place(package: str) -> Path:
    """Where an installed package or module of one file lies."""
    root = Path(str(distribution("pydantic").locate_file("")))
    return root / package if (root / package).is_dir() else root / f"{package}.py"


def test_every_module_is_importable_with_pydantic_alone(installed: Path) -> None:
    program = f"import sys; sys.path[:] = [*sys.path, {str(installed)!r}]\n{PROGRAM}"
    command = [sys.executable, "-I", "-S", "-c", program]
    done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["file"] == str(installed / "contracts" / "__init__.py")
    assert len(found["imported"]) == len(list(FOLDER.rglob("*.py")))
    allowed = {"contracts", "__main__", *underscored()}
    assert {name for name in found["foreign"] if not name.startswith("_")} <= allowed
    assert found["title"] == "OrderPlaced"
    assert found["samples"] == len(list((FOLDER / "samples").iterdir()))


def test_the_package_requires_pydantic_and_nothing_else() -> None:
    (dependency,) = PROJECT["project"]["dependencies"]
    assert dependency.startswith("pydantic>=")
    assert PROJECT["project"]["version"] == VERSION


def test_the_package_requires_the_same_pydantic_as_the_services() -> None:
    services = tomllib.loads((FOLDER.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert PROJECT["project"]["dependencies"][0] in services["dependencies"]
    assert PROJECT["project"]["requires-python"] == services["requires-python"]


def test_every_file_of_the_folder_is_shipped_but_for_those_of_the_build() -> None:
    own = {path for path in FOLDER.rglob("*") if path.is_file() and not path.name.endswith(".pyc")}
    made = {path for path in own if {"build", "comptoir_contracts.egg-info"} & set(path.parts)}
    left_out = {path.name for path in own - made - set(shipped())}
    assert left_out == {"pyproject.toml", ".gitignore"}
    folders = {
        path.parent.relative_to(FOLDER.parent).as_posix() for path in own - made if path.suffix == ".py"
    }
    assert {name.replace(".", "/") for name in PROJECT["tool"]["setuptools"]["packages"]} == folders
    assert PROJECT["tool"]["setuptools"]["package-dir"] == {"contracts": "."}
