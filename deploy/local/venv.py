"""The project's virtual environment, `var/venv`: created once, recreated when its inputs have changed.

Runs on a bare Python (standard library only), since it creates the environment in which everything else is
installed. The environment equals `constraints.txt`; a stamp holds the digest of its inputs, and a lock lets
several `make` run at once without corrupting each other's.

    python3.11 -m deploy.local.venv
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - a caller with an older one should read why it fails
    sys.exit(
        f"Comptoir needs Python 3.11 or later; {sys.executable} is {sys.version.split()[0]}. "
        "Install one (Debian 12: apt-get install python3 python3-venv) and say `make PYTHON=python3.11 ...`."
    )

import hashlib
import shutil
import subprocess
import tomllib
from importlib.util import find_spec
from pathlib import Path

from deploy.local.packages import PackagesUnavailable, PrivateApt, exclusively

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / "var" / "venv"
STAMP = VENV / "made-from"
PIP_LOG = ROOT / "var" / "pip.log"


class NoPip(Exception):
    """No way to install packages: neither ensurepip, nor pip, nor apt to fetch it."""


class NotInstalled(Exception):
    """Packages could not be installed; the text says why and what to do."""


def requirements() -> list[str]:
    """Return everything pyproject.toml requires, with every extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    return [*project["dependencies"], *(wanted for extra in extras for wanted in extra)]


def digest() -> str:
    """Return a digest of the environment's inputs: the interpreter, the requirements, the pinned versions."""
    pins = (ROOT / "constraints.txt").read_text()
    python = ".".join(str(part) for part in sys.version_info[:2])
    parts = [python, str(VENV), *requirements(), pins]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def is_current() -> bool:
    """Return whether `var/venv` is complete and made from exactly what `digest` covers."""
    return STAMP.is_file() and STAMP.read_text() == digest() and (VENV / "bin" / "python").exists()


def create() -> None:
    """Create an empty environment with pip in it, also with Debian's python3, which comes without ensurepip."""
    shutil.rmtree(VENV, ignore_errors=True)
    have_ensurepip = find_spec("ensurepip") is not None
    options = [] if have_ensurepip else ["--without-pip"]
    subprocess.run([sys.executable, "-m", "venv", *options, VENV], check=True)
    if not have_ensurepip:
        install_pip()


def install_pip() -> None:
    """Put pip into the environment from Debian's python3-pip-whl, fetched without root."""
    folder = ROOT / "var" / "parts" / "pip"
    wheels = sorted(Path("/usr/share/python-wheels").glob("pip-*.whl"))
    try:
        if not wheels:
            apt = PrivateApt(folder / "apt")
            apt.update()
            apt.unpack(["python3-pip-whl"], folder)
            wheels = sorted(folder.glob("usr/share/python-wheels/pip-*.whl"))
    except PackagesUnavailable as reason:
        raise NoPip(
            f"{sys.executable} has no ensurepip and pip could not be fetched ({reason}). "
            "Install it: apt-get install python3-venv"
        ) from reason
    wheel = wheels[-1]
    subprocess.run([VENV / "bin" / "python", wheel / "pip", "install", "-q", "--no-index", wheel], check=True)
    shutil.rmtree(folder, ignore_errors=True)


def fill() -> None:
    """Install what pyproject.toml requires, at the versions constraints.txt pins. Raises NotInstalled."""
    pip: list[str | Path] = [
        VENV / "bin" / "python",
        "-m",
        "pip",
        "install",
        "-q",
        "--disable-pip-version-check",
    ]
    installing = [*pip, "--constraint", ROOT / "constraints.txt", *requirements()]
    done = subprocess.run(installing, check=False, capture_output=True, text=True)
    if done.returncode:
        PIP_LOG.write_text(done.stdout + done.stderr)
        raise NotInstalled(_why_not(done.stderr))


def _why_not(output: str) -> str:
    """Return what to do about a failure, from pip's output."""
    where = f"pip's own output is in {PIP_LOG.relative_to(ROOT)}"
    if "Retrying (" in output or "ConnectionError" in output or "connection broken" in output:
        return (
            "The first run needs a network: pip reached no package index. Connect, or set HTTPS_PROXY (a proxy) or "
            f"PIP_INDEX_URL (a mirror), and run make again; {where}."
        )
    return f"pip could not install the packages that constraints.txt pins; {where}: correct that and run make again."


def _unwritable(error: OSError) -> str:
    """Return what to do where var/ can't be written."""
    return (
        f"{error.filename or ROOT / 'var'} can't be written ({error.strerror}): everything is made below "
        f"{ROOT / 'var'}. Make it writable for this user, or copy the checkout to where it is, and run make again."
    )


def main() -> None:
    """Create the environment unless it is current."""
    with exclusively(ROOT / "var" / "venv.lock"):
        if is_current():
            return
        print(f"Making {VENV.relative_to(ROOT)} with {sys.executable} ...", file=sys.stderr, flush=True)
        create()
        fill()
        STAMP.write_text(digest())


if __name__ == "__main__":
    try:
        main()
    except (NoPip, NotInstalled) as reason:
        sys.exit(str(reason))
    except subprocess.CalledProcessError as reason:
        sys.exit(
            f"{VENV} could not be made: {reason.cmd[0]} ended with {reason.returncode}; its output is above."
        )
    except OSError as error:
        sys.exit(_unwritable(error))
