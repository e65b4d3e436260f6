"""What a program may say of an uncertain refund: the reference goes with one that was made, and with no other."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.orders.api.actions.refund_requests import SettlementRequest


@pytest.mark.parametrize(
    "requested",
    [
        {"verdict": "made", "provider_reference": "re_1"},
        {"verdict": "not_made", "reason": "Absent du tableau de bord"},
        {"verdict": "ask_again"},
    ],
)
def test_a_verdict_with_what_it_needs_is_taken(requested: dict[str, Any]) -> None:
    assert SettlementRequest.model_validate(requested).model_dump(mode="json", exclude_none=True) == requested


@pytest.mark.parametrize(
    ("requested", "remedy"),
    [
        ({"verdict": "made"}, "send provider_reference, the provider's id of the refund that was made"),
        ({"verdict": "not_made", "provider_reference": "re_1"}, "goes with the verdict made; leave it out"),
        ({"verdict": "ask_again", "provider_reference": "re_1"}, "goes with the verdict made; leave it out"),
        ({"verdict": "made", "provider_reference": ""}, "at least 1 character"),
        ({"verdict": "made", "provider_reference": "r" * 201}, "at most 200 characters"),
    ],
)
def test_another_is_refused_with_its_remedy(requested: dict[str, Any], remedy: str) -> None:
    with pytest.raises(ValidationError, match=remedy):
        SettlementRequest.model_validate(requested)
