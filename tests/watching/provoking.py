"""Faults on the running hub, for tests: whether an alert fires, and a runbook's commands, run."""

import secrets
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from contracts.catalogue import SERVICES
from deploy import topology
from deploy.cli.environment import database_variable
from deploy.demo.sales.storefront import Storefront
from deploy.local.prometheus.watching import Watch
from deploy.local.supervisor import inherited
from deploy.local.system import ROOT
from deploy.samples.merchants import GARANCE
from services.chassis.http.tokens import authorization
from services.chassis.testing import wait_until
from tests.prometheus import get, query

PATIENCE_SECONDS = 120
"""Longest wait for an alert to fire or to clear."""


async def alerts(watch: Watch) -> list[dict[str, str]]:
    """Return the labels of the alerts that fire; none of another hub on the same broker."""
    found = (await get(watch.prometheus_url, "alerts"))["alerts"]
    firing = [one["labels"] for one in found if one["state"] == "firing"]
    return [one for one in firing if one.get("vhost") in (None, watch.system.vhost)]


async def fires(watch: Watch, name: str, **labels: str) -> bool:
    """Return whether an alert with these labels fires."""
    wanted = {"alertname": name, **labels}.items()
    return any(wanted <= one.items() for one in await alerts(watch))


async def is_silent(watch: Watch, name: str) -> bool:
    """Return whether no alert of that name fires."""
    return not await fires(watch, name)


async def notified(watch: Watch, name: str) -> bool:
    """Return whether Alertmanager has the alert."""
    async with httpx2.AsyncClient(base_url=watch.alertmanager_url, trust_env=False) as http:
        return any(one["labels"]["alertname"] == name for one in (await http.get("/api/v2/alerts")).json())


async def comptoir(watch: Watch, *words: str) -> tuple[int, str]:
    """Run a command as a runbook has it; return its exit status and output."""
    system = watch.system
    passwords = {topology.password_variable(user): word for user, word in system.secrets.passwords.items()}
    settings = {
        **{f"COMPTOIR_{name.upper()}_URL": system.url(name) for name in SERVICES},
        "COMPTOIR_RABBITMQ_MANAGEMENT_URL": system.management_url,
        "COMPTOIR_VHOST": system.vhost,
        "COMPTOIR_STOREFRONTS": " ".join(f"{one.shop}.{one.module}" for one in system.storefronts),
        **passwords,
        **databases(watch),
    }
    settings["COLUMNS"] = "200"
    argv = [sys.executable, "-m", "deploy.cli", *words]
    status, output = await system.supervisor.launcher.run(argv, env={**inherited(), **settings}, cwd=ROOT)
    return status, output.decode()


def databases(watch: Watch) -> dict[str, str]:
    """Return the settings with the four databases and the operators' token."""
    urls = {database_variable(service): url for service, url in watch.system.databases.items()}
    return {**urls, "COMPTOIR_INTERNAL_TOKEN": watch.system.secrets.internal_token}


async def has_fired(watch: Watch, name: str, since: float, labels: str = "") -> bool:
    """Return whether an alert with these labels fired at some time since a moment (seconds since 1970)."""
    span = f"{max(1, round(time.time() - since))}s"
    selector = f'ALERTS{{alertstate="firing",alertname="{name}",{labels}}}'
    return bool(await query(watch.prometheus_url, f"last_over_time({selector}[{span}])"))


async def wait_until_fire(watch: Watch, *wanted: tuple[str, str], since: float | None = None) -> None:
    """Return once these alerts have fired, each at some time from now on, or since a moment (seconds since 1970) at
    which several faults began to be provoked: pairs of a name and a selector of its labels.
    """
    since = time.time() if since is None else since
    missing = dict.fromkeys(wanted)

    async def have_fired() -> bool:
        for one in list(missing):
            if await has_fired(watch, one[0], since, one[1]):
                del missing[one]
        return not missing

    await wait_until(have_fired, PATIENCE_SECONDS, lambda: f"not fired: {[*missing]}")


async def wait_until_silent(watch: Watch, *names: str) -> None:
    """Return once no alert of these names fires; raise when one still does after `PATIENCE_SECONDS`."""

    async def are_silent() -> bool:
        return not {one["alertname"] for one in await alerts(watch)} & set(names)

    await wait_until(are_silent, PATIENCE_SECONDS, lambda: f"one fires: {names}")


async def post(watch: Watch, path: str, content: Mapping[str, Any]) -> None:
    """Send a merchant's command to the REST API, which accepts it whether its owner can be reached or not."""
    token = watch.system.secrets.api_tokens[GARANCE.shop]
    headers = {**authorization(token), "Idempotency-Key": secrets.token_hex(8)}
    async with httpx2.AsyncClient(base_url=watch.system.url("orders"), trust_env=False, timeout=30) as http:
        answer = await http.post(path, json=content, headers=headers)
    assert answer.status_code == httpx2.codes.ACCEPTED, answer.text


async def count_stock(watch: Watch) -> None:
    """Have the merchant count a SKU: a command to fulfillment."""
    level = {"sku": f"FAULT-{secrets.token_hex(4)}", "on_hand": 5}
    await post(watch, "/v1/stock", {"levels": [level]})


@asynccontextmanager
async def storefront(watch: Watch) -> AsyncIterator[Storefront]:
    """A module of the shop that is connected meanwhile."""
    found = Storefront(GARANCE.shop, "shop")
    await found.open(watch.system.amqp_url(found.login))
    try:
        yield found
    finally:
        await found.close()
