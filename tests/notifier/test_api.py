"""The operators' routes: who is let in, what they show, and a person's word."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx2
import pytest

from contracts.orders.lifecycle import Buyer
from services.chassis.http import edge
from services.chassis.testing import Desk
from services.notifier.api import build_app
from services.notifier.sending.sending import Sender
from tests.chassis.problems import answers_with_problems
from tests.conftest import Desks
from tests.notifier.builders import an_order
from tests.notifier.mail_server import MailServer, ServerBehaviour
from tests.notifier.sending.test_sending import a_desk, by_state, send_until, settled

NOBODY = UUID(int=1)


@asynccontextmanager
async def a_client(desk: Desk, token: str | None = None) -> AsyncIterator[httpx2.AsyncClient]:
    token = token or desk.hub.settings.internal_token.get_secret_value()
    transport = httpx2.ASGITransport(app=edge.application(desk.hub.settings, [], build_app(desk.hub)))
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://notifier", headers=headers) as client:
        yield client


async def a_mixed_desk(desks: Desks, server: MailServer) -> tuple[Desk, Sender]:
    """One mail done, one uncertain."""
    desk, sender = await a_desk(desks, server)
    server.will("DATA", ServerBehaviour.KEEP_AND_DROP)
    await desk.deliver(an_order())
    assert await send_until(desk, sender, settled) == {"done": 1, "uncertain": 1}
    return desk, sender


async def listed(client: httpx2.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get("/internal/mails", params=query)
    assert answer.status_code == 200
    return list(answer.json()["mails"])


@pytest.mark.parametrize(("method", "path"), [
    ("GET", "/internal/mails"), ("GET", f"/internal/mails/{NOBODY}/preview"),
    ("POST", f"/internal/mails/{NOBODY}/resend"), ("POST", f"/internal/mails/{NOBODY}/arrived"),
    ("GET", f"/internal/mails/{NOBODY}"), ("POST", "/internal/mails/preview"),
])  # fmt: skip
async def test_nobody_without_the_token(desks: Desks, method: str, path: str) -> None:
    desk = await desks("notifier")
    async with a_client(desk, token="another-token-of-16") as client:
        assert (await client.request(method, path)).status_code == 401


async def test_uncertain_mails_are_shown_and_go_again_on_a_persons_word(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, sender = await a_mixed_desk(desks, mail_server)
    async with a_client(desk) as client:
        (uncertain,) = await listed(client, state="uncertain")
        assert "no answer after the whole letter was sent" in uncertain["detail"]
        assert len(await listed(client)) == 2
        answer = await client.post(f"/internal/mails/{uncertain['id']}/resend", params={"actor": "lea"})
        assert (answer.status_code, answer.json()["state"]) == (202, "planned")
        assert (await client.post(f"/internal/mails/{uncertain['id']}/resend")).status_code == 409
    assert await desk.fetchval("SELECT detail FROM msg.effect WHERE state = 'planned'") == "sent again by lea"
    assert await send_until(desk, sender, settled) == {"done": 2}
    assert mail_server.message_ids.count(uncertain["message_id"]) == 2


async def test_pages_of_the_list_miss_and_repeat_nothing(desks: Desks) -> None:
    desk = await desks("notifier")
    for _ in range(5):
        await desk.deliver(an_order())
    seen: list[str] = []
    async with a_client(desk) as client:
        query: dict[str, Any] = {"state": "planned", "limit": 3}
        while True:
            page = (await client.get("/internal/mails", params=query)).json()
            seen += [mail["id"] for mail in page["mails"]]
            if page["next"] is None:
                break
            query["before"] = page["next"]
    assert len(seen) == len(set(seen)) == 10
    assert await by_state(desk) == {"planned": 10}


async def test_preview_shows_the_mail_and_lets_nothing_run(desks: Desks) -> None:
    desk = await desks("notifier")
    await desk.deliver(an_order(note="<script>alert(1)</script>"))
    identifier = await desk.fetchval("SELECT id FROM mail WHERE template = 'order_recap'")
    async with a_client(desk) as client:
        page = await client.get(f"/internal/mails/{identifier}/preview")
        text = await client.get(f"/internal/mails/{identifier}/preview", params={"part": "text"})
    assert "Merci pour votre commande" in page.text
    assert "&lt;script&gt;" in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert text.text.startswith("Votre commande K7F3-QD9M chez Atelier Lumière\n")


@pytest.mark.parametrize(("path", "status"), [
    ("/internal/mails?ids=x", 422),
    ("/internal/mails?state=gone", 422), ("/internal/mails?limit=0", 422), ("/internal/mails?limit=x", 422),
    ("/internal/mails?before=yesterday", 422), ("/internal/mails/12/preview", 422),
    (f"/internal/mails/{NOBODY}/preview", 404),
])  # fmt: skip
async def test_bad_request_names_the_remedy(desks: Desks, path: str, status: int) -> None:
    desk = await desks("notifier")
    async with a_client(desk) as client:
        answer = await client.get(path)
    assert answer.status_code == status
    assert answer.json()["detail"]


async def test_unknown_mail_cannot_go_again(desks: Desks) -> None:
    desk = await desks("notifier")
    async with a_client(desk) as client:
        assert (await client.post(f"/internal/mails/{NOBODY}/resend")).status_code == 404


async def test_a_mail_is_shown_whole_and_found_by_what_it_is(desks: Desks, mail_server: MailServer) -> None:
    desk, _ = await a_mixed_desk(desks, mail_server)
    order = an_order(code="ZZZZ-0001", customer=Buyer(name="Ann", email="Ann_B@x.example"))
    await desk.deliver(order)
    async with a_client(desk) as client:
        for query in (
            {"order": str(order.order_id)},
            {"text": "zzzz-0001"},
            {"order": str(order.order_id), "shop": order.shop, "state": "planned"},
        ):
            assert {mail["code"] for mail in await listed(client, **query)} == {"ZZZZ-0001"}
        (recap,) = await listed(client, text="ann_b@", template="order_recap")
        assert await listed(client, text="annxb") == await listed(client, shop="elsewhere") == []
        shown = (await client.get(f"/internal/mails/{recap['id']}")).json()
        assert shown["subject"] == "Votre commande ZZZZ-0001 chez Atelier Lumière"
        assert "Bougie figuier" in shown["text"]
        assert shown["html"].startswith("<!DOCTYPE html>")
        assert {**shown, **recap} == shown
        assert (await client.get(f"/internal/mails/{NOBODY}")).status_code == 404


async def test_an_uncertain_mail_is_taken_as_arrived(desks: Desks, mail_server: MailServer) -> None:
    desk, _ = await a_mixed_desk(desks, mail_server)
    async with a_client(desk) as client:
        (uncertain,) = await listed(client, state="uncertain")
        path = f"/internal/mails/{uncertain['id']}/arrived"
        assert (await client.post(path, params={"actor": "lea"})).json()["state"] == "done"
        assert (await client.post(path)).status_code == 409
    assert await by_state(desk) == {"done": 2}


STATUS: dict[str, Any] = {
    "shop": "atelier-lumiere",
    "template": "status_updated",
    "locale": "fr",
    "code": "K7F3-QD9M",
    "name": "Zoé <b>Lefèvre</b>",
    "context": {"label_texts": {"fr": "En atelier"}, "public_comment": "<script>alert(1)</script>\nÀ jeudi"},
}


async def test_a_mail_is_previewed_before_it_exists(desks: Desks) -> None:
    desk = await desks("notifier")
    async with a_client(desk) as client:
        status = (await client.post("/internal/mails/preview", json=STATUS)).json()
        order = an_order().model_dump(mode="json", exclude_none=True)
        recap = await client.post(
            "/internal/mails/preview",
            json={**STATUS, "template": "order_recap", "context": {}, "order": order},
        )
    assert status["subject"] == "Votre commande K7F3-QD9M : En atelier"
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in status["html"]
    assert "<script>" not in status["html"]
    assert "À jeudi" in status["text"]
    assert "Bougie figuier" in recap.json()["text"]
    assert await desk.fetchval("SELECT count(*) FROM mail") == 0


@pytest.mark.parametrize(("change", "named"), [
    ({"template": "order_recap"}, "OrderPlaced"), ({"template": "poem"}, "template"), ({"shop": "nowhere"}, "nowhere"),
    ({"context": {}}, "label_texts"), ({"surprise": 1}, "surprise"), ({"code": None}, "code"),
    ({"context": {"label_texts": {"fr": 1}}}, "label_texts"),
])  # fmt: skip
async def test_data_that_makes_no_mail_is_named(desks: Desks, change: dict[str, Any], named: str) -> None:
    desk = await desks("notifier")
    async with a_client(desk) as client:
        answer = await client.post("/internal/mails/preview", json={**STATUS, **change})
        broken = await client.post("/internal/mails/preview", content=b"{")
    assert (answer.status_code, broken.status_code) == (422, 422)
    assert named in answer.json()["detail"]


async def test_an_unknown_path_or_method_is_a_problem(desks: Desks, mail_server: MailServer) -> None:
    desk, _ = await a_desk(desks, mail_server)
    async with a_client(desk) as client:
        await answers_with_problems(client, f"/internal/mails/{NOBODY}/resend", "POST")
