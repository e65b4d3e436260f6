"""Endpoints over HTTP for the back office: listed without secrets, added, changed, removed.

The only requests of Comptoir that carry a provider's secret. It comes in the body, is never repeated in an
answer, and no error or log holds a body: see services/chassis/decisions/0009.
"""

from typing import Annotated, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from contracts.message import Shop
from services.chassis.http.problems import Problem, problem
from services.chassis.runtime.hub import Hub
from services.payments.endpoints import changing, loading
from services.payments.endpoints.changing import Change, EndpointRefused, EndpointUnknown
from services.payments.endpoints.listing import forms, listed
from services.payments.endpoints.vault import Vault
from services.payments.providers.endpoint_form import EndpointEntry
from services.payments.settings import PaymentsSettings

Text = Annotated[str, StringConstraints(max_length=300, strip_whitespace=True)]
Name = Annotated[str, StringConstraints(max_length=60)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    shop: Shop
    actor: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class _Entry(_Body):
    livemode: bool
    texts: dict[Name, Text] = Field(default_factory=dict)
    secrets: dict[Name, SecretStr] = Field(default_factory=dict)

    def typed(self) -> dict[str, str]:
        """Return the secrets that were typed, without surrounding spaces."""
        values = {name: secret.get_secret_value().strip() for name, secret in self.secrets.items()}
        return {name: value for name, value in values.items() if value}


class _New(_Entry):
    provider: Name
    slug: Text


class _Changed(_Entry):
    revision: int
    kept_hours: Literal[0, 24, 168] = 24


B = TypeVar("B", bound=_Body)


class Endpoints:
    """The routes of one process."""

    def __init__(self, hub: Hub) -> None:
        assert isinstance(hub.settings, PaymentsSettings)
        self._hub = hub
        self._settings = hub.settings

    async def listed(self, request: Request) -> Response:
        """Return the shop's endpoints, what endpoints consist of, and whether any can be stored."""
        shop = request.query_params.get("shop")
        if not shop:
            return problem(422, "shop is missing: ?shop=…")
        async with self._hub.acquire() as connection:
            kept = await loading.read_kept(connection)
        return JSONResponse(
            {
                "can_store": Vault(self._settings.payments_secrets_key).has_key,
                "providers": forms(self._settings),
                "endpoints": listed(self._settings, kept, shop),
            }
        )

    async def add(self, request: Request) -> Response:
        """Store an endpoint and activate it."""
        body = await _read(request, _New)
        _check_provider(self._settings, body.provider)
        secrets = {name: [value] for name, value in body.typed().items()}
        entry = EndpointEntry(body.slug, body.shop, body.livemode, body.texts, secrets)
        try:
            async with self._hub.unit() as unit:
                await changing.add(unit, self._settings, body.provider, entry, body.actor)
        except EndpointRefused as refused:
            raise _problem(refused) from None
        return await self._done(body.slug, 201)

    async def change(self, request: Request) -> Response:
        """Change an endpoint; secrets that are not in the body stay."""
        slug, body = request.path_params["slug"], await _read(request, _Changed)
        wanted = Change(body.livemode, body.texts, body.typed(), body.kept_hours, body.revision, body.actor)
        try:
            async with self._hub.unit() as unit:
                await changing.change(unit, self._settings, body.shop, slug, wanted)
        except EndpointRefused as refused:
            raise _problem(refused) from None
        except EndpointUnknown:
            raise _unknown(slug) from None
        return await self._done(slug)

    async def remove(self, request: Request) -> Response:
        """Remove an endpoint with its secrets."""
        slug, body = request.path_params["slug"], await _read(request, _Body)
        try:
            async with self._hub.unit() as unit:
                await changing.remove(unit, body.shop, slug)
        except EndpointUnknown:
            raise _unknown(slug) from None
        return await self._done(slug)

    async def remove_secret(self, request: Request) -> Response:
        """Remove one secret of an endpoint."""
        slug, secret_id = request.path_params["slug"], UUID(str(request.path_params["secret_id"]))
        body = await _read(request, _Body)
        try:
            async with self._hub.unit() as unit:
                name = await changing.remove_secret(
                    unit, self._settings, body.shop, slug, secret_id, body.actor
                )
        except EndpointRefused as refused:
            raise _problem(refused) from None
        except EndpointUnknown:
            raise _unknown(slug) from None
        return await self._done(slug, secret=name)

    async def _done(self, slug: str, status: int = 200, **more: str) -> Response:
        await loading.look_again(self._hub)
        return JSONResponse({"slug": slug, **more}, status)


async def _read(request: Request, kind: type[B]) -> B:
    """Return the body. Raises a 422 problem that names the fields, and no value."""
    try:
        return kind.model_validate_json(await request.body())
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        named = ", ".join(".".join(map(str, fault["loc"])) or "body" for fault in faults)
        raise Problem(
            422, "request_invalid", f"missing, unknown or wrong in the JSON body: {named}"
        ) from None


def _check_provider(settings: PaymentsSettings, provider: str) -> None:
    if provider not in settings.endpoint_forms:
        known = ", ".join(settings.endpoint_forms)
        raise Problem(422, "request_invalid", f"provider must be one of {known}")


def _problem(refused: EndpointRefused) -> Problem:
    return Problem(422, "endpoint_refused", str(refused), errors=refused.reasons)


def _unknown(slug: str) -> Problem:
    text = f"the shop has no stored endpoint {slug}, or not this secret; GET /internal/endpoints lists them"
    return Problem(404, "not_found", text)
