"""Client of the services' operators' routes (`/internal/…`), with the operators' token."""

from collections.abc import Container, Mapping
from typing import Any

import httpx2

from deploy.cli.environment import SERVICES_CA, trusted_by
from deploy.cli.failures import NotConfigured, Refused, Unreachable
from services.chassis.http.tokens import authorization
from services.chassis.texts import fault_of_url, fits_a_header
from services.chassis.tls import Peer, why_untrusted

SECONDS = 60.0
TOKEN = "COMPTOIR_INTERNAL_TOKEN"
Json = dict[str, Any]


class Services:
    """The services' operators' routes. Raises NotConfigured when the token is not set, or can't be sent."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        token = environment.get(TOKEN, "")
        if not token:
            raise NotConfigured(f"set {TOKEN} to the operators' token of the services")
        if not fits_a_header(token):
            raise NotConfigured(
                f"{TOKEN} has a character that no HTTP header can carry: give the token that the services have"
            )
        tls = trusted_by(environment, SERVICES_CA)
        self._client = httpx2.Client(
            headers=authorization(token), timeout=SECONDS, trust_env=False, verify=tls
        )

    def get(self, service: str, path: str, params: Mapping[str, Any] | None = None) -> Json:
        """GET below /internal and return the response. Raises NotConfigured, Refused, Unreachable."""
        return self._request(service, "GET", path, params=dict(params or {}))

    def post(
        self, service: str, path: str, body: Mapping[str, Any], accepted: Container[int] = (200,)
    ) -> Json:
        """POST below /internal and return the response. Raises NotConfigured, Refused (for a status that is not
        accepted), Unreachable."""
        return self._request(service, "POST", path, accepted, json=dict(body))

    def _request(
        self, service: str, method: str, path: str, accepted: Container[int] = (200,), **content: Any
    ) -> Json:
        name = f"COMPTOIR_{service.upper()}_URL"
        url = self._environment.get(name, "").rstrip("/")
        if not url:
            raise NotConfigured(f"set {name} to where {service} answers, http://host:port")
        if fault := fault_of_url(url):
            raise NotConfigured(f"{name} {fault}")
        try:
            answer = self._client.request(method, f"{url}/internal/{path}", **content)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            if why := why_untrusted(error, Peer(service, name, SERVICES_CA)):
                raise Unreachable(why) from None
            raise Unreachable(
                f"{service} does not answer ({type(error).__name__}): is it running, is {name} right?"
            ) from None
        return _read(service, name, answer, accepted)


def _read(service: str, name: str, answer: httpx2.Response, accepted: Container[int]) -> Json:
    """Return a response's object. Raises Unreachable, or Refused with the service's reason."""
    if answer.status_code == 401:
        raise Unreachable(f"{service} refuses the token in {TOKEN}: give the one it was started with")
    try:
        body = answer.json()
    except ValueError:
        body = None
    if answer.status_code in accepted and isinstance(body, dict):
        return body
    if not isinstance(body, dict) or answer.status_code < 400:
        raise Unreachable(
            f"what answers at {name} ({answer.status_code}) is not {service}: correct the address"
        )
    why = f"{service} answers {answer.status_code}: {_reason(body)}"
    raise (Unreachable if answer.status_code >= 500 else Refused)(why)


def _reason(body: Json) -> str:
    """Return why a request was refused: the faults one by one if they are given, else the sentence about all."""
    faults = body.get("errors")
    found = [str(one["message"]) for one in faults if one.get("message")] if isinstance(faults, list) else []
    return " ".join(found) or str(body.get("detail", "it gives no reason"))
