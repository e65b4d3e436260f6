"""Facts from PayPal's objects, read from its API: the only source of amounts and states. Pure but for `fetch`."""

from collections.abc import Callable
from typing import Any

from services.payments.accounts.facts import Parked, Reading
from services.payments.providers.paypal.calling import PaypalClient
from services.payments.providers.paypal.disputing import read_dispute
from services.payments.providers.paypal.event import AUTHORIZATION, CAPTURE, DISPUTE, ORDER, REFUND
from services.payments.providers.paypal.money import PaypalAmountUnusable
from services.payments.providers.paypal.objects import ShapeUnexpected, payees_of
from services.payments.providers.paypal.payments import read_authorization, read_capture, read_order
from services.payments.providers.paypal.reading_refunds import read_refund
from services.payments.providers.port import ObjectNamed, ProviderUnavailable
from services.payments.providers.strict_json import JsonRefused, read_object

_PATHS: dict[str, tuple[str, ...]] = {
    CAPTURE: ("v2", "payments", "captures"),
    REFUND: ("v2", "payments", "refunds"),
    AUTHORIZATION: ("v2", "payments", "authorizations"),
    ORDER: ("v2", "checkout", "orders"),
    DISPUTE: ("v1", "customer", "disputes"),
}
_READERS: dict[str, Callable[[dict[str, Any], ObjectNamed], Reading]] = {
    CAPTURE: read_capture,
    REFUND: read_refund,
    AUTHORIZATION: read_authorization,
    ORDER: read_order,
    DISPUTE: read_dispute,
}


async def fetch(client: PaypalClient, named: ObjectNamed) -> bytes:
    """Read an object; an answer about another one is none. Raises ProviderUnavailable, ProviderRefused,
    ObjectMissing.
    """
    answer = await client.get(*_PATHS[named.kind], named.object_id)
    found = read_object(answer)
    if found.get("dispute_id" if named.kind == DISPUTE else "id") != named.object_id:
        raise ProviderUnavailable(f"PayPal's API answered {named.kind} {named.object_id} with another object")
    return answer


def read_answer(named: ObjectNamed, answer: bytes, account: str | None) -> Reading:
    """Return the facts in an object that was read; `account` is the merchant id that must be paid. Never
    raises.
    """
    try:
        resource = read_object(answer)
        if account is not None and (strangers := payees_of(resource) - {account}):
            detail = f"{named.kind} {named.object_id} is paid to {min(strangers)[:40]}, endpoint of {account}"
            return Parked("account_unexpected", detail)
        return _READERS[named.kind](resource, named)
    except (JsonRefused, ShapeUnexpected) as unexpected:
        return Parked("shape_unexpected", f"{named.kind} {named.object_id}: {unexpected}")
    except PaypalAmountUnusable as unusable:
        return Parked("amount_unusable", f"{named.kind} {named.object_id}: {unusable}")
