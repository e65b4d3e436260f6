"""What programs have this service do itself: tags, archive, comments, statuses, mails; each key once."""

from typing import Any
from uuid import uuid4

from contracts.notifier.mails import MailSent, ResendMail
from contracts.orders.lifecycle import StatusUpdated
from tests.conftest import Desks
from tests.orders.api.test_api_lists import fits
from tests.orders.builders import Life
from tests.orders.rest_client import OTHER_TOKEN, TOKENS, answered, client, key, place, sent
from tests.orders.staff.test_staff_actions import places_of

SECRET = "Entre nous : cliente fidèle n° 4711"


async def test_tags_are_made_put_on_and_taken_off_by_name(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    one, two, unknown = (await place(desk)).order_id, (await place(desk)).order_id, uuid4()
    body: dict[str, Any] = {
        "orders": [str(one), str(two), str(unknown)],
        "add": [{"name": "VIP", "colour": "red"}, {"name": "Urgent"}],
    }
    async with client(desk) as http:
        headers = key()
        answers = [await http.post("/v1/tagging", json=body, headers=headers) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].json() == answers[1].json()
        done = answers[0].json()
        fits("CommandResponse", done)
        assert (done["state"], done["actor"], done["outcome"]["changed"]) == ("done", "api:erp", 2)
        assert [order["reason"] for order in done["outcome"]["orders"]] == [None, None, "order_unknown"]
        off = {"orders": [str(one)], "add": [{"name": "urgent"}], "remove": ["vip", "Never heard of"]}
        await http.post("/v1/tagging", json=off, headers=key())
        order = (await http.get(f"/v1/orders/{one}")).json()
        fits("OrderResponse", order)
        assert [(tag["name"], tag["colour"]) for tag in order["tags"]] == [("Urgent", "grey")]
        assert order["revision"] == 3
        tags = (await http.get("/v1/tags")).json()
        fits("TagsResponse", tags)
        assert [(tag["name"], tag["orders"]) for tag in tags["tags"]] == [("Urgent", 2), ("VIP", 1)]
        conflict = await http.post("/v1/tagging", json=off, headers=headers)
        assert (conflict.status_code, conflict.json()["code"]) == (409, "idempotency_conflict")
    async with client(desk, OTHER_TOKEN) as http:
        assert (await http.get("/v1/tags")).json() == {"tags": []}
        foreign = await http.post(
            "/v1/tagging", json={"orders": [str(one)], "add": [{"name": "x"}]}, headers=key()
        )
        assert foreign.json()["outcome"]["orders"][0]["reason"] == "order_unknown"


async def test_a_status_is_given_once_and_a_stale_one_is_refused_with_what_changed(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    placed = await place(desk)
    life = Life(placed.order_id, placed.code, 8400, [3])
    await desk.deliver(life.balance(2, received=8400))
    body = {"label": "processing", "notify_customer": True, "admin_comment": SECRET, "revision": 2}
    async with client(desk) as http:
        statuses = (await http.get("/v1/statuses")).json()
        fits("StatusesResponse", statuses)
        assert "processing" in {status["key"] for status in statuses["statuses"]}
        headers, url = key(), f"/v1/orders/{placed.code}/status"
        done = await http.post(url, json=body, headers=headers)
        again = await http.post(url, json=body, headers=headers)
        assert (done.status_code, again.json()) == (200, done.json())
        assert (done.json()["outcome"]["state"], done.json()["outcome"]["revision"]) == ("processing", 3)
        stale = await http.post(url, json={**body, "label": "in_progress_order"}, headers=key())
        assert (stale.status_code, stale.json()["code"]) == (409, "order_changed_meanwhile")
        assert {reason["code"] for reason in stale.json()["errors"]} == {"status_updated", "state_changed"}
        forced = await http.post(url, json={"label": "completed"}, headers=key())
        assert (forced.status_code, forced.json()["code"]) == (422, "status_needs_force")
        order = await http.get(f"/v1/orders/{placed.code}")
        assert order.json()["label"]["fr"] == "En cours de traitement"
        assert SECRET not in order.text
    types = await desk.fetch("SELECT type FROM msg.event_log WHERE type LIKE '%status%'")
    assert len(types) == 1
    assert StatusUpdated.wire_name in types[0]["type"]
    assert await places_of(desk, SECRET) == {"comment"}


async def test_a_refused_deed_leaves_its_key_free(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    placed = await place(desk)
    async with client(desk) as http:
        headers, url = key(), f"/v1/orders/{placed.code}/status"
        body = {"label": "processing"}
        assert (await http.post(url, json=body, headers=headers)).status_code == 422
        await desk.deliver(Life(placed.order_id, placed.code, 8400, [3]).balance(2, received=8400))
        assert (await http.post(url, json=body, headers=headers)).status_code == 200


async def test_comments_and_the_archive(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    placed = await place(desk)
    async with client(desk) as http:
        url = f"/v1/orders/{placed.code}/comments"
        written = await http.post(url, json={"text": SECRET}, headers=key())
        assert written.status_code == 200
        counters = {"text": "Erreur", "counters": written.json()["outcome"]["comment_id"]}
        assert (await http.post(url, json=counters, headers=key())).status_code == 200
        missing = await http.post(url, json={"text": "x", "counters": str(uuid4())}, headers=key())
        assert (missing.status_code, missing.json()["code"]) == (404, "comment_unknown")
        body = {"orders": [str(placed.order_id)], "archived": True}
        archived = await http.post("/v1/archiving", json=body, headers=key())
        assert archived.json()["outcome"]["orders"][0]["reason"] == "not_finished"
    assert await places_of(desk, SECRET) == {"comment"}


async def test_a_mail_is_sent_again_by_command(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    placed = await place(desk)
    report = Life(placed.order_id, placed.code, 8400, [3]).report("order_recap")
    async with client(desk) as http:
        request = http.post(f"/v1/mails/{report.mail_id}/resend", json={}, headers=key())
        answer = await answered(desk, request, lambda command_id, wanted: MailSent(mails=[report]))
    assert (answer.status_code, answer.json()["outcome"]["type"]) == (200, "notifier.mail.sent.v1")
    ((_, command),) = await sent(desk)
    assert command == ResendMail(shop="maison", mail_id=report.mail_id, actor="api:erp")
