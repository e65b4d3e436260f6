"""Building the image with buildah, as root or in a user namespace, without an engine and without a registry of images.

The recipe is the one that `docker build` reads. The base is made of Debian's packages unless another one is named, and
packages of Python come from a folder of wheels, so that no step of the recipe needs a network.
"""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.containers.fetching import BASE_ARCHIVE, HERE, ROOT, find_base, find_buildah, find_wheels

BASE = "localhost/comptoir-base"
STEP_SECONDS = 600
HOW = ("--isolation", "chroot", "--layers=false", "--quiet")
BASE_RECIPE = f"FROM scratch\nADD {BASE_ARCHIVE} /\n"


class BuildFailed(Exception):
    """buildah ended with an error; the text is the end of its output."""


@dataclass(frozen=True)
class Builder:
    """buildah with its own store of images below `folder`."""

    folder: Path
    program: tuple[Path, Path | None] = field(default_factory=find_buildah)

    def run(self, command: str, *arguments: str | Path) -> str:
        """Return the standard output of a command of buildah. Raises BuildFailed."""
        buildah, policy = self.program
        for needed in ("tmp", "run"):
            (self.folder / needed).mkdir(parents=True, exist_ok=True)
        argv: list[str | Path] = [
            buildah,
            "--root",
            self.folder / "root",
            "--runroot",
            self.folder / "runroot",
        ]
        argv += ["--storage-driver", "vfs", command]
        if policy and command in ("bud", "from", "push"):
            argv += ["--signature-policy", policy]
        done = subprocess.run(
            [*argv, *arguments],
            cwd=ROOT,
            env={
                **os.environ,
                "HOME": str(self.folder),
                "TMPDIR": str(self.folder / "tmp"),
                "XDG_RUNTIME_DIR": str(self.folder / "run"),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=STEP_SECONDS,
        )
        if done.returncode:
            raise BuildFailed(f"buildah {command}: {(done.stdout + done.stderr).strip()[-2000:]}")
        return done.stdout.strip()

    def build(
        self, tag: str, *, base: str | None = None, target: str | None = None, **arguments: str
    ) -> None:
        """Build the image `tag` from the checkout; `target` is a stage of the recipe (the last one unless given),
        `arguments` are the recipe's. Raises BuildFailed, NotFetched.
        """
        if base is None:
            self._build_base()
        given = {"BASE": base or BASE, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/wheels", **arguments}
        self.run(
            "bud",
            *HOW,
            *(part for name, value in given.items() for part in ("--build-arg", f"{name}={value}")),
            *("--volume", f"{find_wheels()}:/wheels:ro"),
            *(("--target", target) if target else ()),
            *("--file", HERE / "Containerfile", "--tag", tag, ROOT),
        )

    def save(self, tag: str, archive: Path) -> None:
        """Write an image as an archive that `docker load` and `podman load` read."""
        archive.unlink(missing_ok=True)
        self.run("push", tag, f"docker-archive:{archive.resolve()}:{tag}")

    def configuration(self, tag: str) -> Mapping[str, Any]:
        """Return what the image says of how it is run: its user, environment, entry point and labels."""
        found: Mapping[str, Any] = json.loads(self.run("inspect", "--type", "image", tag))["OCIv1"]["config"]
        return found

    def _build_base(self) -> None:
        recipe = self.folder / "base"
        recipe.parent.mkdir(parents=True, exist_ok=True)
        recipe.write_text(BASE_RECIPE, encoding="utf-8")
        self.run(
            "bud",
            "--isolation",
            "chroot",
            "--layers=false",
            "--quiet",
            "--file",
            recipe,
            "--tag",
            BASE,
            find_base(),
        )
