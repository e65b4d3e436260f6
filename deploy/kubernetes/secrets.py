"""Print the Secrets of an installation: `python -m deploy.kubernetes.secrets --passwords FILE`, to be piped into
`kubectl apply -n NAMESPACE -f -`.

FILE keeps the random passwords, so that a second run prints the same Secrets, and new ones such as those of another
storefront. Keep it out of repositories, or give the printed Secrets to what seals them (SOPS, sealed secrets).
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace

from contracts.catalogue import SERVICES
from deploy.arguments import named_path
from deploy.credentials import MONITOR, OPERATOR, Installation, Passwords, files_of, given_storefronts
from deploy.databases import PREFIX
from deploy.kubernetes.manifests import Manifest, manifest, text_of
from deploy.kubernetes.topology import VHOST, secret_of
from services.chassis.messaging.topology import permissions

DATABASE, BROKER, MANAGEMENT = "comptoir-db-rw:5432", "rabbitmq:5672", "rabbitmq:15672"
"""Services that the operators make for the database's primary and the broker."""
BROKER_TLS = ("rabbitmq:5671", "rabbitmq:15671")


def secrets_of(installation: Installation) -> list[Manifest]:
    """Return a Secret per program, per database role and per broker user, and those of Prometheus and KEDA."""
    files = files_of(installation)
    del files[OPERATOR]  # the operators' work: nothing in the cluster administers the servers by password
    plain = replace(installation, management=MANAGEMENT, has_tls=False)
    users = [*permissions(installation.storefronts), MONITOR]
    return [
        *(_secret(f"comptoir-{program}", settings) for program, settings in files.items()),
        *(
            _login(
                f"comptoir-database-{service}", f"{PREFIX}{service}", installation.database_password(service)
            )
            for service in SERVICES
        ),
        *(_login(secret_of(user), user, installation.broker_password(user)) for user in users),
        _secret("comptoir-metrics", {"token": installation.metrics_token}),
        # KEDA does not know the authority: it reads depths where there is no TLS.
        _secret("comptoir-keda", {"host": plain.management_url(MONITOR)}),
    ]


def _secret(name: str, values: dict[str, str], kind: str = "Opaque") -> Manifest:
    return manifest("v1", "Secret", name, type=kind, stringData=values)


def _login(name: str, user: str, password: str) -> Manifest:
    return _secret(name, {"username": user, "password": password}, "kubernetes.io/basic-auth")


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    reader = argparse.ArgumentParser(
        prog="python -m deploy.kubernetes.secrets", description="Print the Secrets of an installation."
    )
    reader.add_argument(
        "--passwords", type=named_path, required=True, metavar="FILE", help="where passwords are kept"
    )
    reader.add_argument(
        "--storefront", action="append", default=[], metavar="SHOP.MODULE", help="a storefront that publishes"
    )
    reader.add_argument(
        "--tls", action="store_true", help="addresses of the broker with TLS, for components/tls"
    )
    given = reader.parse_args(arguments)
    try:
        passwords = Passwords(given.passwords)
        storefronts = passwords.with_known(given_storefronts(given.storefront))
        broker = BROKER_TLS if given.tls else (BROKER, MANAGEMENT)
        installation = Installation(DATABASE, *broker, passwords, storefronts, VHOST, has_tls=given.tls)
        printed = text_of(secrets_of(installation))
        passwords.save()
    except (OSError, ValueError) as error:
        reader.error(str(error))
    sys.stdout.write(printed)


if __name__ == "__main__":
    main(sys.argv[1:])
