"""The actions of bulk runs: their keys and hashes are those that earlier releases stored, so a run goes on."""

import json
from typing import Any
from uuid import UUID

import pytest

from services.orders.backoffice.orders.bulk.carrying_out import action_of
from services.orders.backoffice.orders.bulk.runs import Planned, Verb, run_id_of

ORDER_ID, RUN_ID = (
    UUID("0192f3c5-7b1e-7000-8000-000000000001"),
    UUID("0192f3c5-7b1e-7000-8000-000000000002"),
)
PARCEL: dict[str, Any] = {"lines": [{"line": 1, "quantity": 2}]}
SHIPMENT = {
    "parcel_ids": [str(RUN_ID)],
    "carrier": "Colissimo",
    "shipped_on": "2026-11-22",
    "notify_customer": True,
}


@pytest.mark.parametrize(
    ("verb", "content", "type", "stored"),
    [
        (
            Verb.PACK,
            PARCEL,
            "orders.parcel.pack.v1",
            "4a39aa32677559cf43a8c5be4d4e667930593e2d1677275680d445cc321cccef",
        ),
        (
            Verb.SHIP,
            SHIPMENT,
            "orders.shipment.dispatch.v1",
            "76824a34baa5ba9329a37b0aab844011d12462c757dabcb4d013b41656c19fc2",
        ),
        (
            Verb.CANCEL,
            {"reason": "Doublon"},
            "orders.order.cancel",
            "ef5dc9774a319d329186cc23a29a52a5a434defae09fba1dec8f8699563468c2",
        ),
    ],
)
def test_an_item_is_sent_under_the_key_and_hash_that_earlier_releases_stored(
    verb: Verb, content: dict[str, Any], type: str, stored: str
) -> None:
    run = {"shop": "maison", "actor": "staff:zoe@maison.example", "verb": verb.value, "run_id": RUN_ID}
    action = action_of(run, {"order_id": ORDER_ID, "asked": json.dumps(content), "position": 3})
    assert (action.key, action.type) == (f"run:{RUN_ID}:3", type)
    assert action.request_hash.hex() == stored
    other = action_of(run, {"order_id": RUN_ID, "asked": json.dumps(content), "position": 3})
    assert other.request_hash.hex() != stored


def test_a_form_repeated_after_an_upgrade_finds_its_run() -> None:
    planned = Planned(ORDER_ID, "K7F3-QD9M", PARCEL)
    run_id = run_id_of("maison", "form:0192f3c5-7b1e-7000", [Verb.PACK, planned])
    assert run_id == UUID("6e7c5da5-2d48-5d13-9626-144ba7f5d49d")
