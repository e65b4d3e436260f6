"""Recovery of messages that a queue lost: finds them and sends them again as what they are, commands or
events with their effects.

`python -m deploy.lost_messages count|send SENDER CONSUMER --from TIME --to TIME`, with
`COMPTOIR_INTERNAL_TOKEN` and the addresses of both services as `COMPTOIR_<SERVICE>_URL`. TIME is ISO 8601
with its offset, 2026-11-28T08:00+01:00. `count` only prints how many of each type the consumer never handled;
`send` prints the same, then sends them again, which requires `--actor NAME`. Exit status: 0 nothing was lost,
or everything was sent again; 1 something was lost; 2 the result is unknown, and the message gives the reason.
After a database was restored to an earlier day use a replay instead.
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import httpx2

from contracts.catalogue import SERVICES

AT_ONCE = 5000
"""Message ids in one request: the maximum that a service returns at once."""
SECONDS = 60.0


class CannotTell(Exception):
    """A service was not asked, did not answer or rejected the request; the text says which, why and what to
    do.
    """


class Services:
    """The services' operators' routes."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        token = environment.get("COMPTOIR_INTERNAL_TOKEN", "")
        if not token:
            raise CannotTell("set COMPTOIR_INTERNAL_TOKEN to the operators' token of the services")
        self._client = httpx2.Client(
            headers={"Authorization": f"Bearer {token}"}, timeout=SECONDS, trust_env=False
        )

    def ask(self, service: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST to a service and return its answer. Raises CannotTell."""
        name = f"COMPTOIR_{service.upper()}_URL"
        url = self._environment.get(name, "").rstrip("/")
        if not url:
            raise CannotTell(f"set {name} to where {service} answers, http://host:port")
        try:
            answer = self._client.post(f"{url}/internal/{path}", json=body)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise CannotTell(
                f"{service} does not answer ({type(error).__name__}): is it running, is {name} right?"
            ) from None
        if answer.status_code == 401:
            raise CannotTell(
                f"{service} refuses the token in COMPTOIR_INTERNAL_TOKEN: give the one it was started with"
            )
        if answer.status_code != 200:
            raise CannotTell(f"{service} answers {answer.status_code}: {answer.text[:500]}")
        told: dict[str, Any] = answer.json()
        return told


def find(services: Services, sender: str, consumer: str, span: Mapping[str, str]) -> dict[str, str]:
    """Return the types of the messages that the sender sent in the time `span` (from, to) and the consumer
    never handled, by id. Raises CannotTell.
    """
    found: dict[str, str] = {}
    after = None
    while True:
        told = services.ask(sender, "sent", {"consumer": consumer, "after": after, **span})
        types = {message["id"]: message["type"] for message in told["messages"]}
        if types:
            ids = services.ask(consumer, "unheard", {"sender": sender, "ids": list(types)})["ids"]
            found |= {one: types[one] for one in ids}
        after = told["next"]
        if after is None:
            return found


def send(services: Services, sender: str, consumer: str, ids: Sequence[str], actor: str) -> int:
    """Have the sender send these again and return how many were accepted. Raises CannotTell."""
    parts = [ids[begun : begun + AT_ONCE] for begun in range(0, len(ids), AT_ONCE)]
    asked = ({"consumer": consumer, "ids": list(part), "actor": actor} for part in parts)
    return sum(int(services.ask(sender, "send-again", body)["messages"]) for body in asked)


def main(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit status."""
    given = _reader().parse_args(arguments)
    span = {"from": given.since, "to": given.until}
    try:
        services = Services(os.environ)
        found = find(services, given.sender, given.consumer, span)
        for type_, count in sorted(Counter(found.values()).items()):
            sys.stdout.write(f"{count:>8}  {type_}\n")
        sys.stdout.write(f"{len(found):>8}  never handled by {given.consumer}\n")
        if given.verb == "count":
            return 1 if found else 0
        sent = send(services, given.sender, given.consumer, list(found), given.actor)
    except CannotTell as why:
        sys.stderr.write(f"{why}\n")
        return 2
    sys.stdout.write(f"{sent:>8}  on their way again\n")
    return 0 if sent == len(found) else 1


def _reader() -> argparse.ArgumentParser:
    reader = argparse.ArgumentParser(
        prog="python -m deploy.lost_messages",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = reader.add_subparsers(dest="verb", required=True)
    for verb, does in (("count", "tell what was lost"), ("send", "send it again")):
        one = verbs.add_parser(verb, help=does)
        one.add_argument("sender", choices=SERVICES)
        one.add_argument("consumer", choices=SERVICES)
        one.add_argument("--from", dest="since", required=True, metavar="TIME", help="from this time")
        one.add_argument("--to", dest="until", required=True, metavar="TIME", help="until before this time")
        if verb == "send":
            one.add_argument("--actor", required=True, metavar="NAME", help="who has it sent")
    return reader


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
