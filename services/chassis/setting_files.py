"""Settings given as files: the file that `NAME_FILE` names (Docker's convention), or one per setting in the directory
COMPTOIR_SECRETS_DIR (Docker's `/run/secrets`, a Kubernetes secret mounted as a volume).

A setting is given once. Two places would let a stale secret win over a rotated one, so they are a fault, as is a file
that is missing, unreadable or empty: a service never starts with less than it was given.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.chassis.texts import fault_of_setting

SECRETS_DIR = "COMPTOIR_SECRETS_DIR"
PREFIX = "COMPTOIR_"
FILE = "_FILE"
LARGEST_BYTES = 16 * 1024 * 1024


class SecretsDirUnreadable(Exception):
    """COMPTOIR_SECRETS_DIR names no directory that can be read; the text is a sentence."""


@dataclass(frozen=True)
class Fault:
    """Why a setting has no value although it was given; `text` is a sentence with the places, without any value."""

    text: str


Given = str | Fault
"""The text of a setting, or why there is none."""


def read_settings(variables: Mapping[str, str], names: Iterable[str]) -> dict[str, Given]:
    """Return the settings of `names` that are given, in variables or files. Raises SecretsDirUnreadable."""
    folder = variables.get(SECRETS_DIR)
    in_folder = secret_files(Path(folder)) if folder else {}
    return {name: value for name in names if (value := _setting(name, variables, in_folder)) is not None}


def _setting(name: str, variables: Mapping[str, str], in_folder: Mapping[str, Path]) -> Given | None:
    files = dict(_files(name, variables, in_folder))
    places = [*([name] if variables.get(name) else []), *files]
    if len(places) > 1:
        return Fault(f"given more than once ({', '.join(places)}); keep one of them")
    for place, file in files.items():
        return read_file(file, place)
    text = variables.get(name) or None
    fault = fault_of_setting(text) if text is not None else None
    return text if fault is None else Fault(fault)


def _files(
    name: str, variables: Mapping[str, str], in_folder: Mapping[str, Path]
) -> Iterator[tuple[str, Path]]:
    if named := variables.get(name + FILE):
        yield name + FILE, Path(named)
    if (file := in_folder.get(name)) is not None:
        yield str(file), file


def secret_files(folder: Path) -> dict[str, Path]:
    """Return the files of a directory that are named as settings, by setting. A name may be in lower case.
    Raises SecretsDirUnreadable.

    Kubernetes mounts the files as links into a hidden directory beside them, which is not itself a setting.
    """
    try:
        files = [entry for entry in folder.iterdir() if entry.name.upper().startswith(PREFIX)]
    except OSError as error:
        raise SecretsDirUnreadable(
            f"could not read the secret files in {folder} ({_why(error)}): correct {SECRETS_DIR} or its permissions"
        ) from None
    named: dict[str, Path] = {}
    for file in sorted(files):
        if (other := named.setdefault(file.name.upper(), file)) is not file:
            raise SecretsDirUnreadable(
                f"{other.name} and {file.name} in {folder} are the same setting: remove one"
            )
    return named


def read_file(file: Path, place: str) -> Given:
    """Return the text of a file without surrounding spaces; `place` is what names the file."""
    where = str(file) if place == str(file) else f"{file} in {place}"
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST_BYTES + 1)
        text = content.decode("utf-8-sig").strip()
    except OSError as error:
        return Fault(
            f"could not read {where} ({_why(error)}); correct the path, or let this process's user read it"
        )
    except UnicodeDecodeError:
        return Fault(f"{where} is not UTF-8; write the value as plain text")
    if len(content) > LARGEST_BYTES:
        return Fault(f"{where} is larger than {LARGEST_BYTES // 1024**2} MiB; is it the right file?")
    if fault := fault_of_setting(text):
        return Fault(f"{where} {fault}")
    return text or Fault(f"{where} is empty; write the value into it, or remove it")


def _why(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
