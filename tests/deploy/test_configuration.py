"""The reference of settings is what the programs read, and describes each of them."""

import re
from pathlib import Path

from deploy import configuration
from deploy.cli import environment
from deploy.configuration import FILE, OPERATING, PROGRAMS, names, reference, settings_of
from services.chassis.unknown_settings import NAMES, given_names, known_settings, unknown_settings

ROOT = Path(__file__).resolve().parents[2]


def test_the_reference_is_current() -> None:
    assert FILE.read_text("utf-8") == reference(), "run python -m deploy.configuration"
    assert NAMES.read_text("utf-8") == names(), "run python -m deploy.configuration"


def test_every_setting_is_described() -> None:
    undescribed = {
        one.name for kind in PROGRAMS.values() for one in settings_of(kind) if len(one.meaning.split()) < 2
    }
    assert undescribed == set()


def test_secrets_are_marked() -> None:
    found = {one.name for kind in PROGRAMS.values() for one in settings_of(kind) if one.is_secret}
    assert found >= {
        "COMPTOIR_DATABASE_URL",
        "COMPTOIR_AMQP_URL",
        "COMPTOIR_API_TOKENS",
        "COMPTOIR_STRIPE_ENDPOINTS",
        "COMPTOIR_PAYPAL_ENDPOINTS",
        "COMPTOIR_SMTP_PASSWORD",
    }
    assert "COMPTOIR_SHOPS" not in found


def test_the_command_lines_settings_are_all_there() -> None:
    assert {one.name for one in OPERATING} >= environment.NAMES
    assert configuration.is_secret(str | None) is False


def test_every_variable_that_the_code_names_is_known() -> None:
    code = [
        *ROOT.glob("deploy/**/*.py"),
        *ROOT.glob("services/**/*.py"),
        ROOT / "deploy/compose/compose.yaml",
    ]
    named = {
        name
        for file in code
        for name in re.findall(r"\bCOMPTOIR_[A-Z0-9_]*[A-Z0-9]\b(?![_<])", file.read_text("utf-8"))
    }
    assert named > {"COMPTOIR_DATABASE_URL", "COMPTOIR_FAILPOINT"}
    assert unknown_settings(named) == {}


def test_a_misspelt_name_is_reported_with_the_nearest_one() -> None:
    given = {
        "COMPTOIR_DATABSE_URL": "x",
        "comptoir_smtp_hosts": "x",
        "COMPTOIR_XYZZY": "x",
        "COMPTOIR_UNUSED_AND_EMPTY": "",
        "COMPTOIR_DATABASE_URL_FILE": "/x",
        "COMPTOIR_PASSWORD_STOREFRONT_MAISON_SHOP": "x",
        "COMPTOIR_ORDERS_SERVICE_HOST": "10.0.0.1",
        "COMPTOIR_ORDERS_PORT_8001_TCP_ADDR": "10.0.0.1",
        "COMPTOIR_DB_RW_PORT": "tcp://10.0.0.1:5432",
        "OTHER": "x",
        **dict.fromkeys(
            (name for name in known_settings() if name.isupper() and "*" not in name and "DIR" not in name),
            "x",
        ),
    }
    assert unknown_settings(given_names(given)) == {
        "COMPTOIR_DATABSE_URL": "COMPTOIR_DATABASE_URL",
        "COMPTOIR_SMTP_HOSTS": "COMPTOIR_SMTP_HOST",
        "COMPTOIR_XYZZY": None,
    }
