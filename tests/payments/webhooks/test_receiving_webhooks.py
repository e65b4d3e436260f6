"""The endpoint: stored and committed before the 2xx, everything else turned away with an empty answer and counted."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.chassis.problems import answers_with_problems
from tests.payments.builders import (
    OLD_SECRET,
    SECRET,
    SLUG,
    as_body,
    endpoint,
    event,
    intent,
    intent_id,
    signature,
    succeeded,
)
from tests.payments.cashdesk import CashDesk
from tests.payments.conftest import CashDesks


async def stored(cashdesk: CashDesk) -> int:
    return int(await cashdesk.desk.fetchval("SELECT count(*) FROM webhook"))


async def test_the_body_is_kept_byte_by_byte(cashdesk: CashDesk) -> None:
    body = as_body(succeeded(intent_id()))
    assert await cashdesk.post(body, user_agent="Stripe/1.0") == 200
    (row,) = await cashdesk.desk.fetch("SELECT * FROM webhook")
    assert (row["body"], row["state"], row["event_type"]) == (body, "received", "payment_intent.succeeded")
    assert "Stripe/1.0" in row["headers"]
    assert cashdesk.nudges == ["stored"]


async def test_a_repeat_is_answered_200_and_counted(cashdesk: CashDesk) -> None:
    one = succeeded(intent_id())
    assert [await cashdesk.post(one) for _ in range(3)] == [200, 200, 200]
    assert await cashdesk.desk.fetchval("SELECT deliveries FROM webhook") == 3
    assert cashdesk.nudges == ["stored"]


async def test_many_at_once_with_repeats_among_them(cashdesk: CashDesk) -> None:
    events = [succeeded(intent_id()) for _ in range(60)]
    answers = await asyncio.gather(*(cashdesk.post(one) for one in events * 3))
    assert set(answers) == {200}
    assert await stored(cashdesk) == 60
    assert await cashdesk.desk.fetchval("SELECT sum(deliveries) FROM webhook") == 180


async def test_the_old_secret_works_while_it_is_rolled(cashdesk: CashDesk) -> None:
    body = as_body(succeeded(intent_id()))
    assert await cashdesk.post(body, stripe_signature=signature(body, OLD_SECRET)) == 200


@pytest.mark.parametrize(
    "header",
    ["", "t=1", "v1=00", "t=,v1=", "t=x,v1=00", "t=1,t=2,v1=00", "é,=,,v1", "t=1795000000,v1=é", "=" * 5000],
)
async def test_header_soup_is_400(cashdesk: CashDesk, header: str) -> None:
    headers = [(b"content-type", b"application/json"), (b"stripe-signature", header.encode())]
    answer = await cashdesk.client.post(f"/webhooks/stripe/{SLUG}", content=b"{}", headers=headers)
    assert (answer.status_code, answer.content) == (400, b"")
    assert await stored(cashdesk) == 0


async def test_forged_is_400_and_leaves_no_trace_of_its_content(cashdesk: CashDesk) -> None:
    body = as_body(succeeded(intent_id(), amount=999_900))
    assert await cashdesk.post(body, stripe_signature=signature(body, "whsec_of-the-forger-1")) == 400
    assert await cashdesk.post(body, stripe_signature=signature(body, at=1_795_000_000)) == 400
    await cashdesk.refusals.write(cashdesk.hub)
    rows = await cashdesk.desk.fetch("SELECT endpoint, reason, posts FROM webhook_refused ORDER BY reason")
    assert [tuple(row) for row in rows] == [
        (SLUG, "signature_wrong", 1),
        (SLUG, "stamp_outside_tolerance", 1),
    ]
    assert await stored(cashdesk) == 0


async def test_a_flood_of_forgeries_is_one_row(cashdesk: CashDesk) -> None:
    for _ in range(2):
        for _ in range(50):
            await cashdesk.post(b"{}", stripe_signature="t=1,v1=00")
            await cashdesk.post(b"{}", slug="somebodys-guess")
        await cashdesk.refusals.write(cashdesk.hub)
    rows = await cashdesk.desk.fetch(
        "SELECT endpoint, sum(posts) AS posts FROM webhook_refused GROUP BY 1 ORDER BY 1"
    )
    assert [tuple(row) for row in rows] == [(SLUG, 100), ("unknown", 100)]


async def test_an_endpoint_nobody_set_up_is_404(cashdesk: CashDesk) -> None:
    assert await cashdesk.post(succeeded(intent_id()), slug="not-an-endpoint") == 404


async def test_another_endpoints_secret_is_never_tried(cashdesks: CashDesks) -> None:
    others = endpoint(slug="the-other-endpoint", secrets=["whsec_of-the-other-one"])
    cashdesk = await cashdesks(stripe_endpoints=(endpoint(), others))
    assert await cashdesk.post(succeeded(intent_id()), slug=others.slug) == 400


@pytest.mark.parametrize("kind", ["text/plain", "", "application/x-www-form-urlencoded"])
async def test_another_kind_of_content_is_415(cashdesk: CashDesk, kind: str) -> None:
    assert await cashdesk.post(succeeded(intent_id()), content_type=kind) == 415


async def test_a_charset_is_fine(cashdesk: CashDesk) -> None:
    assert await cashdesk.post(succeeded(intent_id()), content_type="application/json; charset=utf-8") == 200


async def test_compressed_is_415(cashdesk: CashDesk) -> None:
    body = gzip.compress(as_body(succeeded(intent_id())))
    assert await cashdesk.post(body, content_encoding="gzip") == 415


async def test_the_largest_body_and_one_byte_more(cashdesk: CashDesk) -> None:
    largest = as_body(succeeded(intent_id())).ljust(512 * 1024)
    assert await cashdesk.post(largest) == 200
    assert await cashdesk.post(largest + b" ") == 413


async def test_a_body_without_declared_length_is_counted_as_it_comes(cashdesk: CashDesk) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 1
            yield b" " * 65536

    headers = {"content-type": "application/json", "stripe-signature": "t=1,v1=00"}
    answer = await cashdesk.client.post(f"/webhooks/stripe/{SLUG}", content=endless(), headers=headers)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "body", [b"", b"not json", b"[]", b'{"a": 1, "a": 2}', b'{"id": "\\u0000"}', b"\xff\xfe"]
)
async def test_signed_but_unreadable_is_kept_and_parked(cashdesk: CashDesk, body: bytes) -> None:
    assert await cashdesk.post(body) == 200
    assert await cashdesk.post(body) == 200
    await cashdesk.apply()
    ((key, (state, reason)),) = (await cashdesk.ends()).items()
    assert key.startswith("sha256:")
    assert state == "parked"
    assert reason in ("unreadable", "shape_unexpected")


async def test_database_unavailable_is_503(cashdesk: CashDesk) -> None:
    await cashdesk.hub.close()
    one = succeeded(intent_id())
    answer = await cashdesk.client.post(
        f"/webhooks/stripe/{SLUG}",
        content=as_body(one),
        headers={"content-type": "application/json", "stripe-signature": signature(as_body(one))},
    )
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    await cashdesk.hub.open()
    assert await cashdesk.post(one) == 200


async def test_too_many_at_once_get_a_response_to_retry_later(cashdesks: CashDesks) -> None:
    cashdesk = await cashdesks(webhooks_at_once=1)
    answers = await asyncio.gather(*(cashdesk.post(succeeded(intent_id())) for _ in range(10)))
    assert answers.count(503) == 9
    assert answers.count(200) == 1
    assert await cashdesk.post(succeeded(intent_id())) == 200


async def test_what_the_back_office_reads(cashdesk: CashDesk) -> None:
    await cashdesk.pay(event("payment_intent.created", intent(intent_id())))
    assert (await cashdesk.client.get("/internal/webhooks")).status_code == 401
    wrong = {"authorization": "Bearer something-else-entirely"}
    assert (await cashdesk.client.get("/internal/webhooks", headers=wrong)).status_code == 401
    right = {"authorization": "Bearer a-token-for-tests-only"}
    answer: Any = (await cashdesk.client.get("/internal/webhooks?state=waiting", headers=right)).json()
    assert [row["reason"] for row in answer["webhooks"]] == ["order_unknown"]
    assert answer["tally"][0]["received"] == 1
    assert "body" not in answer["webhooks"][0]
    assert SECRET not in str(answer)
    assert (await cashdesk.client.get("/internal/webhooks?state=soup", headers=right)).status_code == 422


async def test_an_unknown_path_or_method_is_a_problem(cashdesk: CashDesk) -> None:
    cashdesk.client.headers["authorization"] = "Bearer a-token-for-tests-only"
    await answers_with_problems(cashdesk.client, "/internal/entries", "GET, HEAD")
