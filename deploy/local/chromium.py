"""Location of Chromium: named, installed here, or Debian's, fetched and unpacked without root.

Only tests need a browser, and they use Debian's, so that it is the same one as `apt-get install
chromium-headless-shell` installs: the same engine without the windows, tabs and toolbars of the desktop's program. That
program builds them for every page, even without a screen, and needs five times the processor time for a new page.
The unpacked program finds its libraries and fonts by three environment variables; nothing of the system is changed,
and a page looks the same on a machine without any fonts.
"""

import os
import shutil
from ctypes.util import find_library
from dataclasses import dataclass
from pathlib import Path

from deploy.local.packages import PackagesUnavailable, PrivateApt, cached, is_installed

PARTS = Path(__file__).resolve().parents[2] / "var" / "parts"
UNPACKED = PARTS / "headless-chromium"
DRIVER = PARTS / "browser-driver"
DRIVER_LIBRARY, DRIVER_PACKAGE = "atomic", "libatomic1"
"""Libraries needed by the program that drives the browser (Node.js, in Playwright's wheel) and missing on a
bare Debian.
"""
INSTALLED = (
    "/usr/bin/chromium-headless-shell",
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
)
PACKAGES = ("chromium-headless-shell", "fonts-dejavu-core", "fonts-liberation")
LIBRARY = ("lib", "zlib")
NEEDED_PREFIXES = ("chromium", "fonts-", *LIBRARY)
NOT_NEEDED = ("libc6", "libcrypt1", "libllvm", "libgl1-mesa-dri", "libperl", "libpam-", "libsystemd-shared")
"""The system's own C library, and packages needed only for screens, Perl and log-ins."""
LIBRARIES = ("usr/lib/*-linux-*", "lib/*-linux-*")
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">../usr/share/fonts</dir>
  <alias><family>sans-serif</family><prefer><family>DejaVu Sans</family></prefer></alias>
  <alias><family>serif</family><prefer><family>Liberation Serif</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
  <alias><family>system-ui</family><prefer><family>DejaVu Sans</family></prefer></alias>
</fontconfig>
"""
WHAT_TO_DO = (
    "Install it (apt-get install chromium-headless-shell), or set COMPTOIR_CHROMIUM to the path of "
    "a Chromium program"
)


class ChromiumNotFound(Exception):
    """No Chromium on this machine and none could be fetched; the text says what to do."""


@dataclass(frozen=True)
class Chromium:
    """The program; `tree` is the unpacked tree, if it was unpacked here."""

    program: Path
    tree: Path | None = None

    def environment(self) -> dict[str, str]:
        """Return our environment, and where an unpacked program finds its libraries and fonts."""
        if self.tree is None:
            return dict(os.environ)
        return {
            **os.environ,
            "LD_LIBRARY_PATH": ":".join(map(str, self.library_folders())),
            "FONTCONFIG_FILE": str(self.tree / "fonts" / "fonts.conf"),
            "XDG_DATA_DIRS": f"{self.tree / 'usr/share'}:/usr/local/share:/usr/share",
        }

    def library_folders(self) -> list[Path]:
        """Return every folder of the unpacked tree that holds shared libraries.

        Debian's packages find libraries in subfolders (nss, pulseaudio) by absolute paths, which do not hold
        here.
        """
        return [] if self.tree is None else library_folders(self.tree)


def library_folders(tree: Path) -> list[Path]:
    """Return every folder of an unpacked tree that holds shared libraries."""
    roots = [root for pattern in LIBRARIES for root in sorted(tree.glob(pattern))]
    return [
        folder for root in roots for folder in sorted({library.parent for library in root.rglob("lib*.so*")})
    ]


def driver_environment(unpacked: Path = DRIVER) -> dict[str, str]:
    """Return variables for the program that drives the browser: none where the system has its library, else
    the path of one fetched without root. Raises ChromiumNotFound.
    """
    if find_library(DRIVER_LIBRARY) is not None:
        return {}
    try:
        tree = cached(unpacked, _fetch_driver_library)
    except PackagesUnavailable as reason:
        raise ChromiumNotFound(
            f"{DRIVER_PACKAGE} is missing, and fetching it failed: {reason}. "
            f"Install it: apt-get install {DRIVER_PACKAGE}"
        ) from reason
    return {"LD_LIBRARY_PATH": ":".join(map(str, library_folders(tree)))}


def _fetch_driver_library(tree: Path) -> None:
    apt = PrivateApt(tree / "apt")
    apt.update()
    apt.unpack([DRIVER_PACKAGE], tree)
    shutil.rmtree(apt.folder)


def find_chromium(kind: str | None = None, unpacked: Path = UNPACKED) -> Chromium:
    """Return the browser to use; `kind` (else COMPTOIR_CHROMIUM): "auto", "installed", "fetched" or a
    program's path.

    Raises ChromiumNotFound.
    """
    kind = kind or os.environ.get("COMPTOIR_CHROMIUM") or "auto"
    if "/" in kind:
        if not os.access(kind, os.X_OK):
            raise ChromiumNotFound(f"COMPTOIR_CHROMIUM={kind} is no program. {WHAT_TO_DO}")
        return Chromium(Path(kind))
    if kind not in {"auto", "installed", "fetched"}:
        raise ChromiumNotFound(f"COMPTOIR_CHROMIUM={kind!r}: it is auto, installed, fetched or a path")
    if kind != "fetched" and (found := next((path for path in INSTALLED if os.access(path, os.X_OK)), None)):
        return Chromium(Path(found))
    if kind == "installed":
        raise ChromiumNotFound(f"No Chromium is installed. {WHAT_TO_DO}")
    try:
        tree = cached(unpacked, fetch)
    except PackagesUnavailable as reason:
        raise ChromiumNotFound(
            f"No Chromium here, and fetching one failed: {reason}. {WHAT_TO_DO}"
        ) from reason
    return Chromium(tree / "usr/lib/chromium/chromium-headless-shell", tree)


def fetch(tree: Path) -> None:
    """Unpack Chromium, two families of fonts and the libraries this system lacks into the empty folder `tree`."""
    apt = PrivateApt(tree / "apt")
    apt.update()
    apt.unpack([name for name in apt.resolve(*PACKAGES) if is_wanted(name)], tree)
    shutil.rmtree(apt.folder)
    fonts = tree / "fonts"
    fonts.mkdir()
    (fonts / "fonts.conf").write_text(FONTS, encoding="utf-8")


def is_wanted(package: str) -> bool:
    """Return whether a package that Chromium depends on must be unpacked for it."""
    if not package.startswith(NEEDED_PREFIXES) or package.startswith(NOT_NEEDED):
        return False
    return not (package.startswith(LIBRARY) and is_installed(package))
