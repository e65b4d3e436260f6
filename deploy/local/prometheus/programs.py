"""Location of Prometheus and Alertmanager with their tools: installed here, or Debian's, fetched and unpacked
without root.

They are static programs that read only their pages and templates from files. Of those, Alertmanager's templates have
a path that no option sets: in an unpacked program it is replaced by one relative to the working directory.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from deploy.local.packages import PackagesUnavailable, PrivateApt, cached

UNPACKED = Path(__file__).resolve().parents[3] / "var" / "parts" / "prometheus"
PACKAGES = ("prometheus", "prometheus-alertmanager")
NEEDED_PREFIXES = ("prometheus", "libjs-", "fonts-")
NAMES = ("prometheus", "promtool", "prometheus-alertmanager", "amtool")
INSTALLED = Path("/usr/bin")
SHARED = Path("/usr/share/prometheus")
TEMPLATES = b"/usr/share/prometheus/alertmanager"
WHAT_TO_DO = "Install them: apt-get install prometheus prometheus-alertmanager"


class PrometheusNotFound(Exception):
    """No Prometheus on this machine and none could be fetched; the text says what to do."""


@dataclass(frozen=True)
class PrometheusPrograms:
    """The programs in `bin`, by Debian's names; `shared` holds their pages and templates."""

    bin: Path
    shared: Path

    @property
    def prometheus(self) -> Path:
        return self.bin / "prometheus"

    @property
    def promtool(self) -> Path:
        return self.bin / "promtool"

    @property
    def alertmanager(self) -> Path:
        return self.bin / "prometheus-alertmanager"

    @property
    def amtool(self) -> Path:
        return self.bin / "amtool"

    @property
    def templates(self) -> Path:
        """Return the folder that Alertmanager must run in."""
        return self.shared / "alertmanager"


def find_prometheus(
    kind: str | None = None, installed: Path = INSTALLED, unpacked: Path = UNPACKED
) -> PrometheusPrograms:
    """Return the programs to use; `kind` (else COMPTOIR_PROMETHEUS): "auto" (installed, else fetched to
    `unpacked`), "installed", "fetched". Raises PrometheusNotFound.
    """
    kind = kind or os.environ.get("COMPTOIR_PROMETHEUS") or "auto"
    if kind not in {"auto", "installed", "fetched"}:
        raise PrometheusNotFound(f"COMPTOIR_PROMETHEUS={kind!r}: it is one of auto, installed, fetched")
    if kind != "fetched" and all(os.access(installed / name, os.X_OK) for name in NAMES):
        return PrometheusPrograms(installed, SHARED)
    if kind == "installed":
        raise PrometheusNotFound(f"Prometheus or Alertmanager is not installed. {WHAT_TO_DO}")
    try:
        tree = cached(unpacked, fetch)
    except PackagesUnavailable as reason:
        raise PrometheusNotFound(
            f"No Prometheus here, and fetching it failed: {reason}. {WHAT_TO_DO}"
        ) from reason
    return PrometheusPrograms(tree / "usr/bin", tree / "usr/share/prometheus")


def fetch(tree: Path) -> None:
    """Unpack Prometheus, Alertmanager and the scripts and fonts of their pages into the empty folder `tree`."""
    apt = PrivateApt(tree / "apt")
    apt.update()
    apt.unpack([name for name in apt.resolve(*PACKAGES) if name.startswith(NEEDED_PREFIXES)], tree)
    shutil.rmtree(apt.folder)
    find_own_templates(tree / "usr/bin/prometheus-alertmanager")


def find_own_templates(alertmanager: Path) -> None:
    """Make the program read its templates from the folder it runs in. The new path is as long as the old one.
    Raises PrometheusNotFound if the program has another path.
    """
    program, here = alertmanager.read_bytes(), b"./" * (len(TEMPLATES) // 2)
    if TEMPLATES not in program:
        raise PrometheusNotFound(
            f"The fetched Alertmanager does not contain {TEMPLATES.decode()}, so it can't be made to read its "
            f"templates where they are unpacked. {WHAT_TO_DO}"
        )
    alertmanager.write_bytes(program.replace(TEMPLATES, here.ljust(len(TEMPLATES), b".")))
