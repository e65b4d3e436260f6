"""HTTP client of Comptoir's other processes: authenticated with the operators' token, by https where they have it."""

from pathlib import Path

import httpx2
from pydantic import SecretStr

from services.chassis.http.tokens import authorization
from services.chassis.tls import trusting


def service_client(token: SecretStr, authorities: Path | None, seconds: float = 5.0) -> httpx2.AsyncClient:
    """Return a client. The processes are in our own network: proxies of the environment are ignored."""
    return httpx2.AsyncClient(
        trust_env=False,
        timeout=seconds,
        headers=authorization(token.get_secret_value()),
        verify=trusting(authorities) if authorities is not None else True,
    )
