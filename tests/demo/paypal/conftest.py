"""A stand-in for PayPal on free ports, whose events are only logged."""

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import httpx2
import pytest

from deploy.demo.standins.delivering import Journal
from deploy.demo.standins.paypal.certificates import Authority
from deploy.demo.standins.paypal.standin import PayPal, Setup
from deploy.local.ports import free_ports

CLIENT_ID, CLIENT_SECRET = "client-of-the-tests", "secret-of-the-tests"
WEBHOOK_ID = "1JE4291016473214C"


def setup(folder: Path, webhook_url: str = "", authority: Authority | None = None) -> Setup:
    """Return a set-up with ports of its own."""
    http_port, https_port = free_ports(2)
    return Setup(http_port, https_port, folder, CLIENT_ID, CLIENT_SECRET, WEBHOOK_ID, webhook_url, authority)


@pytest.fixture
async def paypal(tmp_path: Path, authority: Authority) -> AsyncIterator[PayPal]:
    """The stand-in."""
    async with PayPal(
        setup(tmp_path, authority=authority), Journal(tmp_path / "webhooks.jsonl"), Random(1)
    ) as standin:
        yield standin


@pytest.fixture
async def http(paypal: PayPal) -> AsyncIterator[httpx2.AsyncClient]:
    """A client with an access token."""
    async with httpx2.AsyncClient(base_url=paypal.url, trust_env=False, timeout=10) as client:
        client.headers["Authorization"] = f"Bearer {await a_token(client)}"
        yield client


async def a_token(client: httpx2.AsyncClient, secret: str = CLIENT_SECRET) -> str:
    """Ask for an access token."""
    answer = await client.post(
        "/v1/oauth2/token", auth=(CLIENT_ID, secret), data={"grant_type": "client_credentials"}
    )
    return str(answer.raise_for_status().json()["access_token"])
