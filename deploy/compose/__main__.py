"""Write what `compose.yaml` reads from secrets/: `python -m deploy.compose --shops FILE [--storefront SHOP.MODULE]…`.

With `--demo` the shop is a made-up one. A second run keeps every password, adds what is new, and leaves files that are
yours as they are: keys of payment providers and tokens of the REST API. The containers' user reads the files, so that
they are readable by all; the folder around them is its owner's only.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from contracts.sale import Module
from deploy.arguments import named_path
from deploy.credentials import (
    ADMINISTRATOR,
    MONITOR,
    Files,
    Installation,
    Passwords,
    files_of,
    given_storefronts,
)
from deploy.samples.merchants import GARANCE
from services.chassis.faults.setting_faults import setting_fault
from services.chassis.messaging.topology import hashed_user
from services.notifier.mails.settings import ShopDirectory

FOLDER = Path(__file__).parent / "secrets"
PASSWORDS = "passwords.json"
SHOPS = "comptoir_shops"
WITH_SHOPS = ("orders", "notifier", "backoffice", "page")
YOURS = {
    "payments": {"comptoir_stripe_endpoints": "[]", "comptoir_paypal_endpoints": "[]"},
    "orders": {"comptoir_api_tokens": "[]"},
}
"""Files that are written once, to be edited."""


def definitions_of(installation: Installation) -> dict[str, Any]:
    """Return RabbitMQ's definitions at its first start: the virtual host, its administrator, and a user that may read
    the depths of queues and no message.
    """
    rights = {ADMINISTRATOR: ".*", MONITOR: "^$"}
    tags = {ADMINISTRATOR: "administrator", MONITOR: "monitoring"}
    return {
        "vhosts": [{"name": installation.vhost}],
        "users": [hashed_user(user, installation.broker_password(user), tag) for user, tag in tags.items()],
        "permissions": [
            {
                "user": user,
                "vhost": installation.vhost,
                "configure": pattern,
                "write": pattern,
                "read": pattern,
            }
            for user, pattern in rights.items()
        ],
    }


def shops_in(file: Path) -> list[dict[str, Any]]:
    """Return the shops of a file. Raises ValueError, naming the file and every fault, unless the notifier starts with
    them."""
    try:
        found = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise ValueError(f"{file} can't be read ({error.strerror}): name the file of your shops") from None
    except ValueError as error:
        raise ValueError(
            f"{file} is not JSON ({error}): write the list of your shops, as in COMPTOIR_SHOPS"
        ) from None
    try:
        ShopDirectory(shops=found)
    except ValidationError as error:
        faults = dict.fromkeys(
            setting_fault(ShopDirectory, problem, lambda _: str(file))
            for problem in error.errors(include_url=False)
        )
        raise ValueError("; ".join(faults)) from None
    shops: list[dict[str, Any]] = found
    if not shops:
        raise ValueError(f"{file} has no shop: write your shops into its list, as in COMPTOIR_SHOPS")
    return shops


def write(folder: Path, installation: Installation, shops: Sequence[dict[str, Any]]) -> None:
    """Write every file below `folder`."""
    files = files_of(installation)
    for program in WITH_SHOPS:
        files[program][SHOPS] = json.dumps(shops, ensure_ascii=False)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    _write_programs(folder, files)
    _replace(folder / "postgres_password", installation.postgres_password)
    _replace(folder / "metrics_token", installation.metrics_token)
    _replace(folder / "grafana_password", installation.passwords.of("grafana"))
    definitions = folder / "rabbitmq_definitions.json"
    if not definitions.exists():  # its hashes are salted: a second run would change it
        _replace(definitions, json.dumps(definitions_of(installation), indent=2))
    installation.passwords.save()


def _write_programs(folder: Path, files: Files) -> None:
    for program, settings in files.items():
        (folder / program).mkdir(mode=0o755, exist_ok=True)
        for name, value in settings.items():
            _replace(folder / program / name, value)
        for name, value in YOURS.get(program, {}).items():
            if not (folder / program / name).exists():
                _replace(folder / program / name, value)


def _replace(file: Path, text: str) -> None:
    new = file.with_name(f".{file.name}.new")
    new.write_text(text, encoding="utf-8")
    new.chmod(0o444)
    new.replace(file)


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    reader = argparse.ArgumentParser(
        prog="python -m deploy.compose", description="Write the secrets of compose.yaml."
    )
    shops = reader.add_mutually_exclusive_group(required=True)
    shops.add_argument(
        "--shops", type=named_path, metavar="FILE", help="JSON list of the shops, as in COMPTOIR_SHOPS"
    )
    shops.add_argument("--demo", action="store_true", help="a made-up shop with all its storefronts")
    reader.add_argument(
        "--storefront", action="append", default=[], metavar="SHOP.MODULE", help="a storefront that publishes"
    )
    reader.add_argument(
        "--tls", action="store_true", help="addresses of the broker with TLS, for compose.tls.yaml"
    )
    reader.add_argument("--folder", type=named_path, default=FOLDER, help="default deploy/compose/secrets")
    given = reader.parse_args(arguments)
    try:
        listed = [dict(GARANCE.profile)] if given.demo else shops_in(given.shops)
        modules = [f"{GARANCE.shop}.{module.value}" for module in Module] if given.demo else []
        passwords = Passwords(given.folder / PASSWORDS)
        storefronts = passwords.with_known(given_storefronts([*modules, *given.storefront]))
    except (OSError, ValueError) as error:
        reader.error(str(error))
    broker = ("rabbitmq:5671", "rabbitmq:15671") if given.tls else ("rabbitmq:5672", "rabbitmq:15672")
    installation = Installation("postgres:5432", *broker, passwords, storefronts, has_tls=given.tls)
    write(given.folder, installation, listed)
    sys.stdout.write(f"secrets written to {given.folder}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
