"""Chromium is the one that is named, else the installed one, else Debian's; what to do is said when there is none."""

import subprocess
from pathlib import Path

import pytest

from deploy.local import chromium
from deploy.local.chromium import (
    Chromium,
    ChromiumNotFound,
    driver_environment,
    find_chromium,
    is_wanted,
)


def _program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_named_program_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = _program(tmp_path / "browser")
    monkeypatch.setenv("COMPTOIR_CHROMIUM", str(named))
    assert find_chromium() == Chromium(named)
    named.chmod(0o644)
    with pytest.raises(ChromiumNotFound, match="is no program"):
        find_chromium()


def test_the_installed_one_comes_before_a_fetched_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = _program(tmp_path / "installed")
    monkeypatch.setattr(chromium, "INSTALLED", (str(tmp_path / "missing"), str(installed)))
    assert find_chromium("auto") == find_chromium("installed") == Chromium(installed)
    monkeypatch.setattr(chromium, "INSTALLED", ())
    with pytest.raises(ChromiumNotFound, match="apt-get install chromium-headless-shell"):
        find_chromium("installed")
    with pytest.raises(ChromiumNotFound, match="it is auto, installed, fetched or a path"):
        find_chromium("something")


def test_an_unpacked_one_is_found_again_with_its_libraries_and_fonts(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    program = _program(tree / "usr/lib/chromium/chromium-headless-shell")
    folders = (
        "usr/lib/x86_64-linux-gnu",
        "usr/lib/x86_64-linux-gnu/nss",
        "usr/lib/x86_64-linux-gnu/pulseaudio",
        "lib/x86_64-linux-gnu",
    )
    for folder in folders:
        _program(tree / folder / "libanything.so.1")
    (tree / "usr/lib/x86_64-linux-gnu/without-libraries").mkdir()
    found = find_chromium("fetched", tree)
    assert found == Chromium(program, tree)
    environment = found.environment()
    assert environment["LD_LIBRARY_PATH"].split(":") == [str(tree / folder) for folder in folders]
    assert environment["FONTCONFIG_FILE"] == str(tree / "fonts/fonts.conf")
    assert environment["PATH"]


def test_only_what_the_browser_needs_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromium, "is_installed", lambda name: name in ("libnss3", "fonts-liberation"))
    resolved = [
        "libc6",
        "libnss3",
        "libgtk-3-0",
        "libllvm15",
        "perl",
        "systemd",
        "fonts-liberation",
        "zlib1g",
    ]
    assert [name for name in resolved if is_wanted(name)] == ["libgtk-3-0", "fonts-liberation", "zlib1g"]


def test_the_browser_that_is_found_runs() -> None:
    found = find_chromium()
    output = subprocess.run(
        [found.program, "--version"], env=found.environment(), capture_output=True, text=True, check=True
    )
    assert "Chrom" in output.stdout


def test_every_library_of_a_fetched_browser_is_found() -> None:
    """Also those that a library needs in turn: `--version` alone would not load all of them."""
    found = find_chromium()
    if found.tree is None:
        return  # the system's own package manager answers for an installed browser
    ldd = subprocess.run(
        ["ldd", found.program], env=found.environment(), capture_output=True, text=True, check=True
    )
    assert [line.strip() for line in ldd.stdout.splitlines() if "not found" in line] == []


def test_the_drivers_library_is_fetched_where_the_system_lacks_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chromium, "find_library", lambda name: f"lib{name}.so.1")
    assert driver_environment(tmp_path / "driver") == {}
    monkeypatch.setattr(chromium, "find_library", lambda name: None)
    given = driver_environment(tmp_path / "driver")
    [folder] = given["LD_LIBRARY_PATH"].split(":")
    assert folder.startswith(str(tmp_path / "driver"))
    assert list(Path(folder).glob("libatomic.so.1*"))
