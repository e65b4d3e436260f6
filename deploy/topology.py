"""The broker's topology: applies it and checks that the broker matches the catalogue.

`python -m deploy.topology apply|check`, with `COMPTOIR_RABBITMQ_MANAGEMENT_URL`
(http://user:password@host:15672) for an administrator, `COMPTOIR_VHOST` (default /), `COMPTOIR_STOREFRONTS`
(`shop.module` separated by spaces) and one `COMPTOIR_PASSWORD_<USER>` per user to be made (dots and hyphens
as underscores). Safe to run again; bindings that are no longer in the catalogue are removed, queues never.
"""

import os
import ssl
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import httpx2
from pydantic import TypeAdapter, ValidationError

from contracts.message import Shop
from contracts.sale import Module
from deploy.cli.environment import BROKER_CA, PASSWORD, read_environment, trusted_by
from deploy.cli.failures import Failure, NotConfigured, Refused, Unreachable
from services.chassis.messaging.topology import (
    Binding,
    Storefront,
    bindings,
    definitions,
    exchanges,
    permissions,
    policies,
    queues,
)
from services.chassis.texts import fault_of_url
from services.chassis.tls import Peer, why_untrusted

_SHOP: TypeAdapter[str] = TypeAdapter(Shop)
MANAGEMENT_URL = "COMPTOIR_RABBITMQ_MANAGEMENT_URL"


class TopologyWrong(Exception):
    """The broker's topology differs from the catalogue; lists every difference."""


class Management:
    """RabbitMQ's management API of one virtual host."""

    def __init__(self, url: str, vhost: str = "/", tls: ssl.SSLContext | bool = True) -> None:
        parts = urlsplit(url)
        bare = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], "", "", ""))
        self.vhost = vhost
        self._client = httpx2.Client(
            base_url=f"{bare}/api/",
            auth=(unquote(parts.username or ""), unquote(parts.password or "")),
            timeout=30,
            trust_env=False,
            verify=tls,
        )

    def get(self, path: str) -> Any:
        """Send a GET below /api/."""
        answer = self._client.get(path)
        answer.raise_for_status()
        return answer.json()

    def send(self, method: str, path: str, body: Any = None) -> None:
        """Send a POST, PUT or DELETE below /api/. Raises TopologyWrong with the broker's own error text."""
        answer = self._client.request(method, path, json=body)
        if answer.status_code in (401, 403):
            answer.raise_for_status()
        if answer.is_error:
            raise TopologyWrong(f"the broker refused {method} {path.partition('?')[0]}: {answer.text[:500]}")

    def bindings(self) -> set[Binding]:
        """Return the bindings from our exchanges to queues."""
        rows = self.get(f"bindings/{quote(self.vhost, safe='')}")
        return {
            Binding(row["source"], row["destination"], row["routing_key"])
            for row in rows
            if row["source"] in exchanges() and row["destination_type"] == "queue"
        }

    def unbind(self, binding: Binding) -> None:
        """Remove a binding."""
        path = f"bindings/{quote(self.vhost, safe='')}/e/{quote(binding.exchange)}/q/{quote(binding.queue)}"
        for row in self.get(path):
            if row["routing_key"] == binding.routing_key:
                self.send("DELETE", f"{path}/{quote(row['properties_key'], safe='')}")


def apply(management: Management, passwords: Mapping[str, str], storefronts: Sequence[Storefront]) -> None:
    """Declare everything, remove obsolete bindings, and check the result."""
    management.send("POST", "definitions", definitions(management.vhost, passwords, storefronts))
    ours = set(queues(storefronts))
    for stale in management.bindings() - set(bindings(storefronts)):
        if stale.queue in ours:
            management.unbind(stale)
    check(management, storefronts)


def check(management: Management, storefronts: Sequence[Storefront]) -> None:
    """Raise TopologyWrong with every difference between the broker and the catalogue."""
    if wrong := differences(management, storefronts):
        raise TopologyWrong("the broker differs from the catalogue; run apply:\n  " + "\n  ".join(wrong))


def differences(management: Management, storefronts: Sequence[Storefront]) -> list[str]:
    """Return every difference between the broker and the catalogue, a sentence for each."""
    vhost = quote(management.vhost, safe="")
    existing = {row["name"]: row for row in management.get(f"queues/{vhost}")}
    users = {row["user"]: row for row in management.get(f"vhosts/{vhost}/permissions")}
    wrong = [f"queue {name} is missing" for name in queues(storefronts) if name not in existing]
    wrong += [
        f"queue {name} is {existing[name].get('type')}, not quorum"
        for name in queues(storefronts)
        if name in existing and existing[name].get("type") != "quorum"
    ]
    wrong += _wrong_exchanges(management) + _wrong_bindings(management, storefronts)
    wrong += _wrong_policies(management)
    for user, rights in permissions(storefronts).items():
        have = {right: users.get(user, {}).get(right) for right in rights}
        if user in users and have != rights:
            wrong.append(f"user {user} may {have}, should {rights}")
    return wrong


def _wrong_exchanges(management: Management) -> list[str]:
    existing = {
        row["name"]: row["type"] for row in management.get(f"exchanges/{quote(management.vhost, safe='')}")
    }
    return [
        f"exchange {name} is {existing.get(name, 'missing')}, not {kind}"
        for name, kind in exchanges().items()
        if existing.get(name) != kind
    ]


def _wrong_bindings(management: Management, storefronts: Sequence[Storefront]) -> list[str]:
    """Return missing bindings, and bindings that route more to one of our queues than its consumer subscribes
    to.
    """
    meant, existing = set(bindings(storefronts)), management.bindings()
    ours = set(queues(storefronts))
    stale = {binding for binding in existing - meant if binding.queue in ours}
    return [
        f"binding {binding.exchange} -> {binding.queue} by {binding.routing_key} is {what}"
        for what, found in (("missing", meant - existing), ("not in the catalogue", stale))
        for binding in sorted(found)
    ]


def _wrong_policies(management: Management) -> list[str]:
    rows = management.get(f"policies/{quote(management.vhost, safe='')}")
    existing = {row["name"]: (row["pattern"], row["definition"]) for row in rows}
    return [
        f"policy {policy['name']} is {existing.get(policy['name'], 'missing')}"
        for policy in policies()
        if existing.get(policy["name"]) != (policy["pattern"], policy["definition"])
    ]


def storefronts_of(text: str) -> list[Storefront]:
    """Return storefronts from `shop.module` words. Raises ValueError with the first word that is not of this form, or
    names no shop or module that the contracts allow.
    """
    return [_storefront(word) for word in text.split()]


def _storefront(word: str) -> Storefront:
    shop, dot, module = word.partition(".")
    if not (shop and dot and module):
        raise ValueError(f"{word!r} is not of the form shop.module, such as maison.shop")
    if module not in list(Module):
        raise ValueError(f"{word!r}: {module!r} is no module of a storefront; known are {', '.join(Module)}")
    try:
        _SHOP.validate_python(shop)
    except ValidationError:
        raise ValueError(
            f"{word!r}: {shop!r} is no shop's name: 1 to 63 lower-case letters, digits and hyphens, such as maison"
        ) from None
    return Storefront(shop, module)


class Broker(NamedTuple):
    """The broker and what it should have: the storefronts, and passwords by user for those to be made or changed."""

    management: Management
    storefronts: list[Storefront]
    passwords: dict[str, str]

    @property
    def size(self) -> dict[str, int]:
        """Return the number of queues and bindings that the catalogue has."""
        return {"queues": len(queues(self.storefronts)), "bindings": len(bindings(self.storefronts))}


def broker_of(environment: Mapping[str, str]) -> Broker:
    """Return the broker that the settings name. Raises NotConfigured."""
    url = environment.get(MANAGEMENT_URL)
    if not url:
        raise NotConfigured(f"set {MANAGEMENT_URL} to http://administrator:password@host:15672")
    if fault := fault_of_url(url):
        raise NotConfigured(f"{MANAGEMENT_URL} {fault}")
    try:
        storefronts = storefronts_of(environment.get("COMPTOIR_STOREFRONTS", ""))
    except ValueError as wrong:
        raise NotConfigured(f"COMPTOIR_STOREFRONTS: {wrong}") from None
    users = {user: environment.get(password_variable(user)) for user in permissions(storefronts)}
    management = Management(url, environment.get("COMPTOIR_VHOST", "/"), trusted_by(environment, BROKER_CA))
    return Broker(management, storefronts, {user: password for user, password in users.items() if password})


@contextmanager
def explain_failures(environment: Mapping[str, str]) -> Iterator[None]:
    """Turn the broker's errors into sentences. Raises Refused, Unreachable."""
    try:
        yield
    except TopologyWrong as error:
        raise Refused(str(error)) from None
    except httpx2.HTTPStatusError as error:
        raise _refused(error.response.status_code) from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        if why := why_untrusted(error, Peer("RabbitMQ's management", MANAGEMENT_URL, BROKER_CA)):
            raise Unreachable(why) from None
        parts = urlsplit(environment[MANAGEMENT_URL])
        where = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        raise Unreachable(
            f"RabbitMQ's management does not answer at {where} ({type(error).__name__}): is it running, is the plugin "
            f"rabbitmq_management enabled, is {MANAGEMENT_URL} right?"
        ) from None


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    if list(arguments) not in (["apply"], ["check"]):
        raise SystemExit("usage: python -m deploy.topology apply|check")
    try:
        environment = read_environment(os.environ)
        with explain_failures(environment):
            broker = broker_of(environment)
            if arguments == ["check"]:
                check(broker.management, broker.storefronts)
            else:
                apply(broker.management, broker.passwords, broker.storefronts)
    except Failure as failure:
        raise SystemExit(str(failure)) from None
    sys.stdout.write("topology: {queues} queues, {bindings} bindings in order\n".format(**broker.size))


def _refused(status: int) -> Failure:
    if status in (401, 403):
        return Unreachable(
            f"RabbitMQ's management refuses the user or password in {MANAGEMENT_URL}: it needs an administrator's"
        )
    if status == 404:
        return Refused("the broker has no such virtual host: make it, or correct COMPTOIR_VHOST")
    return Unreachable(f"RabbitMQ's management answers {status}; look at the broker's log")


def password_variable(user: str) -> str:
    """Return the name of the setting with a broker user's password."""
    return PASSWORD + user.upper().replace(".", "_").replace("-", "_")


if __name__ == "__main__":
    main(sys.argv[1:])
