"""The back office's README says what the code does."""

import re
from pathlib import Path

from services.chassis.settings import ServiceSettings
from services.orders.backoffice.access.permissions import ROLES, Permission, Role
from services.orders.backoffice.web import rendering
from services.orders.backoffice.web.settings import BackofficeSettings
from tests.backoffice.browser import Backoffice

FOLDER = Path(rendering.__file__).parent.parent
ROOT = FOLDER.parents[2]
README = (FOLDER / "README.md").read_text(encoding="utf-8")


def test_permissions_are_those_of_the_roles() -> None:
    rows = dict(re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \| (.+) \|$", README, re.MULTILINE))
    given = {
        name: [role for role, cell in zip(Role, cells.split(" | "), strict=True) if cell == "yes"]
        for name, cells in rows.items()
    }
    assert given == {one.value: [role for role in Role if one in ROLES[role]] for one in Permission}


def test_settings_are_all_described() -> None:
    described = dict(re.findall(r"^\| `COMPTOIR_(\w+)` \| [^|]+ \| (.+) \|$", README, re.MULTILINE))
    own = BackofficeSettings.model_fields.keys() - ServiceSettings.model_fields.keys()
    assert described == {name.upper(): BackofficeSettings.model_fields[name].description for name in own}


async def test_parts_it_names_exist(backoffice: Backoffice) -> None:
    [row] = re.findall(r"^\| parts \| (.+) \|$", README, re.MULTILINE)
    known = backoffice.app_state.templates.environment.globals
    assert [name for name in re.findall(r"`(\w+)", row) if name not in known] == []


def test_files_it_names_exist() -> None:
    made = README.split("## How it is made")[1]
    named = re.findall(r"`([\w./]+\.py|\w+/)`", made)
    assert [name for name in named if not ((FOLDER / name).exists() or (ROOT / name).exists())] == []
