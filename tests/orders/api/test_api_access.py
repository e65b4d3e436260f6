"""Who is let in: tokens of the settings, each for its own shop; nothing below /v1 without one."""

import pytest
from pydantic import SecretStr, TypeAdapter, ValidationError

from services.orders.api.access import Caller, callers
from services.orders.order.settings import ApiToken, ApiTokens
from tests.conftest import Desks
from tests.orders.rest_client import TOKENS, client

ERP = ApiToken(name="erp", shop="maison", token=SecretStr("erp-token-0123456789"))
SCRIPT = ApiToken(name="script", shop="atelier", token=SecretStr("script-token-0123456789"))


def test_each_token_is_bound_to_its_shop() -> None:
    known = callers([ERP, SCRIPT])
    assert known.holder({"authorization": "Bearer erp-token-0123456789"}) == Caller("erp", "maison")
    assert known.holder({"authorization": "bearer script-token-0123456789"}) == Caller("script", "atelier")


@pytest.mark.parametrize(
    "wrong",
    [
        {"token": "short"},
        {"token": "erp-token with spaces"},
        {"token": "erp-token-été-été-été"},
        {"shop": "Maison!"},
        {"name": ""},
        {"scope": "all"},
    ],
)
def test_a_token_that_is_not_well_made_is_refused_without_showing_it(wrong: dict[str, str]) -> None:
    values = {"name": "erp", "shop": "maison", "token": "erp-token-0123456789", **wrong}
    with pytest.raises(ValidationError) as refused:
        ApiToken.model_validate(values)
    assert "erp-token" not in str(refused.value)
    assert "erp-token" not in repr(ERP)


def test_one_token_cannot_belong_to_two() -> None:
    values = [{"name": name, "shop": "maison", "token": "erp-token-0123456789"} for name in ("erp", "script")]
    with pytest.raises(ValidationError, match="same token") as refused:
        TypeAdapter(ApiTokens, config={"hide_input_in_errors": True}).validate_python(values)
    assert "erp-token" not in str(refused.value)


async def test_nothing_below_v1_is_reached_without_a_known_token(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    async with client(desk, token="nobody-has-this-one") as http:
        for path in ("/v1/orders", "/v1/there/is/no/such/route"):
            answer = await http.get(path)
            assert (answer.status_code, answer.json()["code"]) == (401, "token_unknown")
        assert (await http.get("/openapi.json")).status_code == 200


async def test_without_any_token_configured_the_api_states_what_to_set(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=[])
    async with client(desk) as http:
        answer = await http.get("/v1/orders")
    assert (answer.status_code, answer.json()["code"]) == (503, "no_token_configured")
    assert "COMPTOIR_API_TOKENS" in answer.json()["detail"]
