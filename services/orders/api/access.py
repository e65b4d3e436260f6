"""Authentication for the REST API: bearer tokens from the settings, each with a name and bound to one shop.

Every route below /v1 requires a valid token, so a new route is protected from its first day.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request

from services.chassis.http.tokens import Tokens
from services.orders.order.settings import ApiToken

GUARDED = "/v1"
EXAMPLE = (
    'a JSON list such as [{"name": "erp", "shop": "maison", "token": "…"}], tokens of 16 characters or more'
)


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller and the only shop whose data it can access."""

    name: str
    shop: str

    @property
    def actor(self) -> str:
        """Return the caller's name as recorded with commands and activity."""
        return f"api:{self.name}"


def callers(tokens: Sequence[ApiToken]) -> Tokens[Caller]:
    """Return the configured tokens with their callers."""
    return Tokens("COMPTOIR_API_TOKENS", [(one.token, Caller(one.name, one.shop)) for one in tokens], EXAMPLE)


def caller_of(request: Request) -> Caller:
    """Return the caller that the gate admitted."""
    caller: Caller = request.state.holder
    return caller
