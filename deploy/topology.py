"""The broker's topology: applies it and checks that the broker matches the catalogue.

`python -m deploy.topology apply|check`, with `COMPTOIR_RABBITMQ_MANAGEMENT_URL`
(http://user:password@host:15672) for an administrator, `COMPTOIR_VHOST` (default /), `COMPTOIR_STOREFRONTS`
(`shop.module` separated by spaces) and one `COMPTOIR_PASSWORD_<USER>` per user to be made (dots and hyphens
as underscores). Safe to run again; bindings that are no longer in the catalogue are removed, queues never.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import httpx2

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


class TopologyWrong(Exception):
    """The broker's topology differs from the catalogue; lists every difference."""


class Management:
    """RabbitMQ's management API of one virtual host."""

    def __init__(self, url: str, vhost: str = "/") -> None:
        parts = urlsplit(url)
        bare = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], "", "", ""))
        self.vhost = vhost
        self._client = httpx2.Client(
            base_url=f"{bare}/api/",
            auth=(parts.username or "", parts.password or ""),
            timeout=30,
            trust_env=False,
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
    vhost = quote(management.vhost, safe="")
    standing = {row["name"]: row for row in management.get(f"queues/{vhost}")}
    users = {row["user"]: row for row in management.get(f"vhosts/{vhost}/permissions")}
    wrong = [f"queue {name} is missing" for name in queues(storefronts) if name not in standing]
    wrong += [
        f"queue {name} is {standing[name].get('type')}, not quorum"
        for name in queues(storefronts)
        if name in standing and standing[name].get("type") != "quorum"
    ]
    wrong += _wrong_exchanges(management) + _wrong_bindings(management, storefronts)
    wrong += _wrong_policies(management)
    for user, rights in permissions(storefronts).items():
        have = {right: users.get(user, {}).get(right) for right in rights}
        if user in users and have != rights:
            wrong.append(f"user {user} may {have}, should {rights}")
    if wrong:
        raise TopologyWrong("the broker differs from the catalogue; run apply:\n  " + "\n  ".join(wrong))


def _wrong_exchanges(management: Management) -> list[str]:
    standing = {
        row["name"]: row["type"] for row in management.get(f"exchanges/{quote(management.vhost, safe='')}")
    }
    return [
        f"exchange {name} is {standing.get(name, 'missing')}, not {kind}"
        for name, kind in exchanges().items()
        if standing.get(name) != kind
    ]


def _wrong_bindings(management: Management, storefronts: Sequence[Storefront]) -> list[str]:
    """Return missing bindings, and bindings that route more to one of our queues than its consumer subscribes
    to.
    """
    meant, standing = set(bindings(storefronts)), management.bindings()
    ours = set(queues(storefronts))
    stale = {binding for binding in standing - meant if binding.queue in ours}
    return [
        f"binding {binding.exchange} -> {binding.queue} by {binding.routing_key} is {what}"
        for what, found in (("missing", meant - standing), ("not in the catalogue", stale))
        for binding in sorted(found)
    ]


def _wrong_policies(management: Management) -> list[str]:
    rows = management.get(f"policies/{quote(management.vhost, safe='')}")
    standing = {row["name"]: (row["pattern"], row["definition"]) for row in rows}
    return [
        f"policy {policy['name']} is {standing.get(policy['name'], 'missing')}"
        for policy in policies()
        if standing.get(policy["name"]) != (policy["pattern"], policy["definition"])
    ]


def storefronts_of(text: str) -> list[Storefront]:
    """Return storefronts from `shop.module` words. Raises ValueError with the first word that is not of this
    form.
    """
    found = []
    for word in text.split():
        shop, dot, module = word.partition(".")
        if not (shop and dot and module):
            raise ValueError(f"{word!r} is not of the form shop.module")
        found.append(Storefront(shop, module))
    return found


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    if list(arguments) not in (["apply"], ["check"]):
        raise SystemExit("usage: python -m deploy.topology apply|check")
    url = os.environ.get("COMPTOIR_RABBITMQ_MANAGEMENT_URL")
    if not url:
        raise SystemExit("set COMPTOIR_RABBITMQ_MANAGEMENT_URL to http://administrator:password@host:15672")
    storefronts = storefronts_of(os.environ.get("COMPTOIR_STOREFRONTS", ""))
    management = Management(url, os.environ.get("COMPTOIR_VHOST", "/"))
    users = {
        user: os.environ.get("COMPTOIR_PASSWORD_" + _env_name(user)) for user in permissions(storefronts)
    }
    try:
        if arguments == ["check"]:
            check(management, storefronts)
        else:
            apply(management, {user: password for user, password in users.items() if password}, storefronts)
    except TopologyWrong as error:
        raise SystemExit(str(error)) from None
    except httpx2.HTTPStatusError as error:
        raise SystemExit(_refused(error.response.status_code)) from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        where = urlsplit(url)._replace(netloc=urlsplit(url).netloc.rpartition("@")[2]).geturl()
        raise SystemExit(
            f"RabbitMQ's management does not answer at {where} ({type(error).__name__}): is it running, is the plugin "
            "rabbitmq_management enabled, is COMPTOIR_RABBITMQ_MANAGEMENT_URL right?"
        ) from None
    sys.stdout.write(
        f"topology: {len(queues(storefronts))} queues, {len(bindings(storefronts))} bindings in order\n"
    )


def _refused(status: int) -> str:
    if status in (401, 403):
        return (
            "RabbitMQ's management refuses the user or password in COMPTOIR_RABBITMQ_MANAGEMENT_URL: it needs an "
            "administrator's"
        )
    if status == 404:
        return "the broker has no such virtual host: make it, or correct COMPTOIR_VHOST"
    return f"RabbitMQ's management answers {status}; look at the broker's log"


def _env_name(user: str) -> str:
    return user.upper().replace(".", "_").replace("-", "_")


if __name__ == "__main__":
    main(sys.argv[1:])
