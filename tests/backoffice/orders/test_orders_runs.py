"""Many orders packed, shipped, cancelled at once: told first, done once, gone on with after a kill."""

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.fulfillment.parcels import PackParcel
from contracts.fulfillment.shipments import DispatchShipment
from contracts.message import Reason
from services.orders.backoffice.access.permissions import Role
from services.orders.backoffice.orders.bulk.carrying_out import delete_old_runs, send_next
from tests.backoffice.browser import Backoffice, Browser, FormShown, Shown
from tests.builders.submissions import a_line
from tests.orders.builders import Life, a_life
from tests.orders.rest_client import rejected, sent

HOSTILE = "<script>alert(1)</script>" + "W" * 200


async def paid(backoffice: Backoffice, *lines: dict[str, Any], **changes: Any) -> Life:
    """An order that may be prepared."""
    life = await a_life(backoffice.desk, *lines, **changes)
    await backoffice.desk.deliver(life.paid())
    await backoffice.desk.deliver(life.reserved())
    return life


async def packed(backoffice: Backoffice) -> Life:
    """An order in one parcel."""
    life = await paid(backoffice)
    await backoffice.desk.deliver(life.packed())
    return life


async def planned_run(browser: Browser, path: str, *lives: Life, **fields: str) -> tuple[str, Shown]:
    """The page of the run that a form of the list makes: its path and what it shows."""
    items = [("order", str(life.order_id)) for life in lives]
    more = {"key": str(uuid4()), "back": "/orders?tab=to_pack", **fields}
    answer = await browser.post(path, [*items, *more.items()])
    assert answer.status == 303, answer.words
    to = answer.headers["location"]
    return to, await browser.get(to)


async def started(backoffice: Backoffice, browser: Browser, path: str) -> None:
    """Start a run and let the worker send all of it."""
    answer = await browser.post(f"{path}/start", {"key": str(uuid4())})
    assert (answer.status, answer.headers["location"]) == (303, path)
    await work(backoffice)


def filled(form: FormShown, **typed: str) -> list[tuple[str, str]]:
    """The form's fields with some typed over."""
    return [*(field for field in form.fields if field[0] not in typed), *typed.items()]


async def work(backoffice: Backoffice) -> None:
    """What the worker does until nothing is left."""
    while await send_next(backoffice.desk.hub, backoffice.app_state.actions):
        pass


async def commands(backoffice: Backoffice) -> list[Any]:
    """The commands that were sent, each once by its order."""
    count = await backoffice.desk.fetchval("select count(*) from command")
    return await sent(backoffice.desk, count) if count else []


@pytest.mark.rows("A13", "A24")
async def test_packing_is_previewed_then_done_and_shows_how_each_ended(backoffice: Backoffice) -> None:
    line = a_line(description=HOSTILE, quantity=3)
    ready, refused = await paid(backoffice, line), await paid(backoffice)
    unpaid = await a_life(backoffice.desk, payment={"method": "cheque"})
    done = await packed(backoffice)
    browser = await backoffice.signed_in(Role.FULFILMENT)
    path, shown = await planned_run(browser, "/orders/pack", ready, refused, unpaid, done)
    assert "Nothing has been done yet" in shown.words
    assert "1 parcel of 3 units" in shown.words
    assert HOSTILE not in shown.text
    assert "is awaiting payment" in shown.words
    assert "Nothing is left to pack." in shown.words
    assert await commands(backoffice) == []
    await started(backoffice, browser, path)
    body = {command.order_id: (made, command) for made, command in await commands(backoffice)}
    assert set(body) == {ready.order_id, refused.order_id}
    made, command = body[ready.order_id]
    assert isinstance(command, PackParcel)
    assert [(one.line, one.quantity) for one in command.lines] == [(1, 3)]
    progress = await browser.get(f"{path}/progress")
    assert "0 of 2 done" in progress.words
    parcel = ready.packed().model_copy(update={"parcel_id": made})
    await backoffice.desk.deliver(parcel, causation_id=made)
    no = Reason(code="stock_missing", message="No stock.")
    await backoffice.desk.deliver(
        rejected(no)(*body[refused.order_id]),
        causation_id=body[refused.order_id][0],
        sender="fulfillment",
    )
    ended = await browser.get(path)
    assert "Finished. 1 of 2 done" in ended.words
    assert "There is not enough stock." in ended.words
    assert (await browser.get(f"{path}/progress")).headers["location"] == path
    assert "1 of 2" in (await browser.get("/orders/runs")).words


async def test_a_form_sent_twice_is_one_run_and_a_run_started_twice_runs_once(backoffice: Backoffice) -> None:
    life = await paid(backoffice)
    browser = await backoffice.signed_in()
    key = str(uuid4())
    (first, _), (second, _) = [await planned_run(browser, "/orders/pack", life, key=key) for _ in range(2)]
    assert first == second
    both = [browser.post(f"{first}/start", {"key": str(uuid4())}) for _ in range(2)]
    assert [answer.status for answer in await asyncio.gather(*both)] == [303, 303]
    await asyncio.gather(work(backoffice), work(backoffice))
    assert len(await commands(backoffice)) == 1
    await browser.post(f"{first}/start", {"key": str(uuid4())})
    await work(backoffice)
    assert len(await commands(backoffice)) == 1
    again, _ = await planned_run(browser, "/orders/pack", life, await paid(backoffice), key=key)
    assert again != first, "a form that was changed after going back is planned again"
    keyless = await browser.post("/orders/pack", {"order": str(life.order_id)})
    assert (keyless.status, keyless.headers["location"]) == (303, "/orders")


@pytest.mark.rows("B13")
async def test_cancelling_shows_its_sums_and_stays_with_what_was_previewed(backoffice: Backoffice) -> None:
    life, changed = await paid(backoffice), await paid(backoffice)
    browser = await backoffice.signed_in()
    path, shown = await planned_run(browser, "/orders/cancel", life, changed, reason="Rupture")
    assert "Change in the amount due −€82.00" in shown.words
    assert "6 units" in shown.words
    assert "Owed to customers afterwards €82.00" in shown.words
    await backoffice.desk.deliver(changed.packed())
    await started(backoffice, browser, path)
    rows = await backoffice.desk.fetch("select order_id, state from command")
    assert [(row["order_id"], row["state"]) for row in rows] == [(life.order_id, "pending")]
    assert await backoffice.desk.fetchval("select reason from order_edit") == "Rupture"
    assert "The order has changed in the meantime" in (await browser.get(path)).words
    longer = {"order": str(life.order_id), "key": str(uuid4()), "reason": "x" * 2001}
    assert (await browser.post("/orders/cancel", longer)).status == 400, "no form of ours sends it"


@pytest.mark.rows("A14", "A26", "A27", "B11")
async def test_tracking_numbers_are_previewed_line_by_line_then_sent(backoffice: Backoffice) -> None:
    first, second, third, unnamed = [await packed(backoffice) for _ in range(4)]
    empty = await paid(backoffice)
    browser = await backoffice.signed_in(Role.FULFILMENT)
    form = await browser.post(
        "/orders/ship",
        [("key", str(uuid4())), *(("order", str(one.order_id)) for one in (first, second, empty, unnamed))],
    )
    assert form.status == 200
    lines = "\n".join(
        [
            f"{first.code};Colissimo;6A1",
            f"{second.code}/1;;'6A2",
            f"{second.code};;6A3",
            f"{third.code};;6A4",
            "K7F3-QD9M;;6A5",
            f"{empty.code};;6A6",
            f"{first.code};{HOSTILE};6A7",
        ]
    )
    typed = filled(form.form("/orders/ship"), lines=lines, other_carrier="Chronopost")
    answer = await browser.post("/orders/ship", typed)
    path = answer.headers["location"]
    shown = await browser.get(path)
    for text in (
        "Line 3",
        "Another line already has it.",
        f"Order {third.code} is not among the selected ones.",
        "The shop has no order K7F3-QD9M.",
        f"Nothing in order {empty.code} is packed.",
        "more than 100 characters",
        "No line refers to it.",
    ):
        assert text in shown.words, text
    assert "<script>" not in shown.text
    mend = await browser.get(f"/orders/ship?run={path.rpartition('/')[2]}")
    assert (
        lines
        in mend.form("/orders/ship").filled()[
            [n for n, _ in mend.form("/orders/ship").filled()].index("lines")
        ][1]
    )
    await started(backoffice, browser, path)
    body = {command.order_id: command for _, command in await commands(backoffice)}
    assert set(body) == {first.order_id, second.order_id}
    command = body[second.order_id]
    assert isinstance(command, DispatchShipment)
    assert (command.carrier, command.tracking_number) == ("Chronopost", "6A2")
    assert command.parcel_ids == [second.parcel_id]
    assert not command.notify_customer


@pytest.mark.rows("A14", "B11")
async def test_chosen_orders_begin_with_a_line_for_each_parcel(backoffice: Backoffice) -> None:
    relay = {"label": "Point relais", "carrier": "Mondial Relay", "amount_minor": 500}
    first, second = [await paid(backoffice, shipping=shipping) for shipping in (relay, None)]
    for life in (first, second):
        await backoffice.desk.deliver(life.packed())
    browser = await backoffice.signed_in(Role.FULFILMENT, language="fr")
    ids = " ".join(str(one.order_id) for one in (first, second))
    form = (await browser.post("/orders/ship", {"key": str(uuid4()), "orders": ids})).form("/orders/ship")
    lines = dict(form.filled())["lines"].strip().splitlines()
    assert [line.rstrip() for line in lines] == [
        "Commande ; Colis ; Transporteur ; Numéro de suivi",
        f"{first.code} ; 1 ; Mondial Relay ;",
        f"{second.code} ; 1 ;  ;",
    ]
    text = "\n".join([lines[0], f"{lines[1]} 12345678", lines[2]])
    answer = await browser.post("/orders/ship", filled(form, lines=text, other_carrier="DHL"))
    first_run = await browser.get(answer.headers["location"])
    assert "Le numéro de suivi manque." in first_run.words
    typed = filled(form, lines=text, other_carrier="DHL", without_tracking="on", key=str(uuid4()))
    path = (await browser.post("/orders/ship", typed)).headers["location"]
    await started(backoffice, browser, path)
    body = {command.order_id: command for _, command in await commands(backoffice)}
    sent_first, sent_second = body[first.order_id], body[second.order_id]
    assert (sent_first.carrier, sent_first.tracking_number) == ("Mondial Relay", "12345678")
    assert sent_first.postal_code == "75011"
    assert (sent_second.carrier, sent_second.tracking_number) == ("DHL", None)


@pytest.mark.rows("A13", "A14")
async def test_what_was_packed_together_is_printed_and_shipped_together(backoffice: Backoffice) -> None:
    done, refused = await paid(backoffice), await paid(backoffice)
    browser = await backoffice.signed_in(Role.FULFILMENT)
    path, _ = await planned_run(browser, "/orders/pack", done, refused)
    await started(backoffice, browser, path)
    body = {command.order_id: (made, command) for made, command in await commands(backoffice)}
    made, command = body[done.order_id]
    parcel = done.packed().model_copy(update={"parcel_id": command.parcel_id})
    await backoffice.desk.deliver(parcel, causation_id=made)
    made, command = body[refused.order_id]
    no = rejected(Reason(code="stock_missing", message="No stock."))(made, command)
    await backoffice.desk.deliver(no, causation_id=made, sender="fulfillment")
    ended = await browser.get(path)
    assert dict(ended.form("/parcels/packing-slips").fields)["orders"] == str(done.order_id)
    form = await browser.post("/orders/ship", ended.form("/orders/ship").fields)
    assert done.code in dict(form.form("/orders/ship").filled())["lines"]
    assert refused.code not in form.text


async def test_a_file_is_taken_and_stays_in_the_form_when_it_is_refused(backoffice: Backoffice) -> None:
    life = await packed(backoffice)
    browser = await backoffice.signed_in()
    content = f"commande;suivi\n{life.code};6Aé\n".encode("cp1252")
    fields = {"key": str(uuid4()), "checked": "on", "shipped_on": "", "lines": "", "other_carrier": "DHL"}
    request = browser.client.build_request(
        "POST",
        "/orders/ship",
        data=fields,
        files={"file": ("suivi.csv", content, "text/csv")},
        headers={"Sec-Fetch-Site": "same-origin"},
    )
    answer = Shown(await browser.client.send(request))
    assert answer.status == 422
    assert "This field is required." in answer.words
    ahead = (datetime.now(UTC) + timedelta(days=5)).date().isoformat()
    late = await browser.post("/orders/ship", filled(answer.form("/orders/ship"), shipped_on=ahead))
    assert (late.status, "that day is in the future" in late.words) == (422, True)
    again = filled(late.form("/orders/ship"), shipped_on="2026-11-22")
    done = await browser.post("/orders/ship", again)
    path = done.headers["location"]
    assert "6Aé" in (await browser.get(path)).words


async def test_chosen_orders_leave_without_numbers_when_none_are_given(backoffice: Backoffice) -> None:
    ready, empty = await packed(backoffice), await paid(backoffice)
    browser = await backoffice.signed_in()
    orders = " ".join(str(life.order_id) for life in (ready, empty))
    fields = {"key": str(uuid4()), "checked": "on", "shipped_on": "2026-11-22", "orders": orders}
    assert "Choose the carrier." in (await browser.post("/orders/ship", fields)).words
    path = (await browser.post("/orders/ship", {**fields, "other_carrier": "DHL"})).headers["location"]
    shown = await browser.get(path)
    assert "DHL · Without tracking" in shown.words
    assert "Nothing in it is packed." in shown.words
    assert (await browser.post("/orders/ship", {**fields, "orders": ""})).status == 422


async def test_a_run_is_its_shops_and_takes_the_right_of_its_verb(backoffice: Backoffice) -> None:
    life = await paid(backoffice)
    path, _ = await planned_run(await backoffice.signed_in(), "/orders/cancel", life)
    packer, accountant = [await backoffice.signed_in(role) for role in (Role.FULFILMENT, Role.ACCOUNTANT)]
    for browser in (packer, accountant):
        assert f"{path}/start" not in (await browser.get(path)).text
        for action in ("start", "stop"):
            assert (await browser.post(f"{path}/{action}", {"key": str(uuid4())})).status == 403
    for refused in ("/orders/pack", "/orders/ship", "/orders/cancel", "/orders/label"):
        assert (await accountant.post(refused, {"order": str(life.order_id)})).status == 403
    stranger = await backoffice.signed_in(shop="atelier")
    assert (await stranger.get(path)).status == 404
    assert (await stranger.post(f"{path}/start", {"key": str(uuid4())})).status == 404
    _, shown = await planned_run(stranger, "/orders/pack", life)
    assert life.code not in shown.text
    await work(backoffice)
    assert await commands(backoffice) == []


async def test_what_has_not_begun_can_be_stopped(backoffice: Backoffice) -> None:
    life = await paid(backoffice)
    browser = await backoffice.signed_in()
    path, _ = await planned_run(browser, "/orders/pack", life)
    await browser.post(f"{path}/start", {"key": str(uuid4())})
    assert "Stop the rest" in (await browser.get(path)).words
    await browser.post(f"{path}/stop", {"key": str(uuid4())})
    await work(backoffice)
    assert await commands(backoffice) == []
    assert "Stopped. 0 of 1 done" in (await browser.get(path)).words


async def test_all_orders_of_a_list_up_to_a_number(
    backoffice: Backoffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    lives = [await paid(backoffice) for _ in range(3)]
    browser = await backoffice.signed_in()
    _, shown = await planned_run(browser, "/orders/pack", everything="on", query="tab=to_pack")
    assert [life.code for life in lives if life.code not in shown.text] == []
    monkeypatch.setattr("services.orders.backoffice.orders.bulk.run_pages.MOST_ITEMS", 2)
    back, shown = await planned_run(browser, "/orders/pack", everything="on", query="tab=to_pack")
    assert back == "/orders?tab=to_pack"
    assert "At most 2 orders at once" in shown.words
    back, shown = await planned_run(browser, "/orders/pack")
    assert "No orders are selected." in shown.words


@pytest.mark.rows("A20", "A28")
async def test_the_status_of_many_orders_is_previewed_and_done_once(backoffice: Backoffice) -> None:
    ready = await paid(backoffice)
    unpaid = await a_life(backoffice.desk, payment={"method": "cheque"})
    browser = await backoffice.signed_in(Role.FULFILMENT)
    chosen = [("key", str(uuid4())), *(("order", str(one.order_id)) for one in (ready, unpaid))]
    form = (await browser.post("/orders/label", chosen)).form("/orders/label")
    asked = filled(form, label="processing", public_comment="C’est parti.", notify_customer="on")
    first_run = await browser.post("/orders/label", asked)
    assert "Will change 1" in first_run.words
    assert "does not match the progress of the order" in first_run.words
    assert await backoffice.desk.fetchval("select count(*) from orders where state = 'processing'") == 0
    confirm = first_run.form("/orders/label").filled()
    assert "Status changed 1" in (await browser.post("/orders/label", confirm)).words
    assert (await browser.post("/orders/label", confirm)).status == 303
    stored = await backoffice.desk.fetch("select body from msg.event_log where type like 'orders.%status%'")
    assert len(stored) == 1
    assert "C’est parti." in stored[0]["body"].decode()
    none = await browser.post("/orders/label", filled(form, label=""))
    assert "Choose an option from the list." in none.words
    unknown = await browser.post("/orders/label", filled(form, label="nonsense"))
    assert unknown.status == 422
    assert "no longer exists" in unknown.words


@pytest.mark.rows("A13")
async def test_chosen_orders_are_printed_with_what_is_still_wanted(backoffice: Backoffice) -> None:
    lives = [await paid(backoffice, a_line(description=HOSTILE)), await packed(backoffice)]
    browser = await backoffice.signed_in(Role.FULFILMENT)
    path, shown = await planned_run(browser, "/orders/print", *lives)
    assert [life.code for life in lives if f"Order {life.code}" not in shown.words] == []
    assert "<script>" not in shown.text.replace("<script src", "")
    assert "3 rue des Lilas" in shown.words
    assert "€41.00" in shown.words
    slips = await browser.get(f"{path}&as=slips")
    assert "€" not in slips.words
    stranger = await backoffice.signed_in(shop="atelier")
    assert lives[0].code not in (await stranger.get(path)).text


RUNNER = """
import asyncio, sys
from services.chassis.testing import Desk, settings_for_tests
from services.orders.backoffice.orders.bulk import carrying_out
from services.orders.backoffice.web.settings import BackofficeSettings
from services.orders.api.actions.action import Actions
from services.orders.handlers import subscribers

async def main() -> None:
    chosen = settings_for_tests(BackofficeSettings, sys.argv[1], backoffice_origin="http://127.0.0.1:8080")
    desk = await Desk(subscribers, chosen).open()
    actions = Actions(desk.hub)
    carrying_out.BATCH = 2
    while await carrying_out.send_next(desk.hub, actions):
        pass

asyncio.run(main())
"""


@pytest.mark.rows("C09")
@pytest.mark.parametrize(
    ("verb", "point"), [("pack", "after_commit@unit:2"), ("cancel", "before_commit@unit:2")]
)
async def test_a_killed_process_is_gone_on_from_and_nothing_is_done_twice(
    backoffice: Backoffice, verb: str, point: str
) -> None:
    lives = [await paid(backoffice) for _ in range(4)]
    browser = await backoffice.signed_in()
    path, _ = await planned_run(browser, f"/orders/{verb}", *lives)
    await browser.post(f"{path}/start", {"key": str(uuid4())})
    url = backoffice.desk.hub.settings.database_url.get_secret_value()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", RUNNER, url), env={**os.environ, "COMPTOIR_FAILPOINT": point}
    )
    assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGKILL
    assert (
        0
        < await backoffice.desk.fetchval("select count(*) from command")
        < len(lives) + point.startswith("after")
    )
    await work(backoffice)
    rows = await backoffice.desk.fetch("select order_id from command order by order_id")
    assert [row["order_id"] for row in rows] == sorted(life.order_id for life in lives)
    kind = "orders.parcel.pack%" if verb == "pack" else "orders.lines.reduction%"
    stored = await backoffice.desk.fetchval("select count(*) from msg.event_log where type like $1", kind)
    assert stored == len(lives)
    assert "0 of 4 done" in (await browser.get(path)).words


async def test_plans_nobody_started_are_deleted(backoffice: Backoffice) -> None:
    life = await paid(backoffice)
    browser = await backoffice.signed_in()
    old, _ = await planned_run(browser, "/orders/pack", life)
    new, _ = await planned_run(browser, "/orders/pack", life)
    await backoffice.desk.fetch(
        "update bulk_run set planned_at = now() - interval '2 days' where run_id = $1",
        UUID(old.rpartition("/")[2]),
    )
    await delete_old_runs(backoffice.desk.hub)
    assert [(await browser.get(path)).status for path in (old, new)] == [404, 200]
    assert await backoffice.desk.fetchval("select count(*) from bulk_item") == 1


async def test_a_manager_forces_the_status_of_many_orders_with_a_reason(backoffice: Backoffice) -> None:
    unpaid = await a_life(backoffice.desk, payment={"method": "cheque"})
    for role, done in ((Role.FULFILMENT, False), (Role.MANAGER, True)):
        browser = await backoffice.signed_in(role)
        form = (await browser.post("/orders/label", [("order", str(unpaid.order_id))])).form("/orders/label")
        assert ("force" in dict(form.fields)) is False, "nobody forces by accident"
        requested = filled(form, label="processing", force="on", reason="Client de confiance")
        first_run = await browser.post("/orders/label", requested)
        assert ("Will change 1" in first_run.words) is done
    await browser.post("/orders/label", first_run.form("/orders/label").filled())
    assert await backoffice.desk.fetchval("select count(*) from orders where state = 'processing'") == 1


async def test_a_disputed_order_is_not_packed_with_others_and_its_page_warns(backoffice: Backoffice) -> None:
    disputed, ready = await paid(backoffice), await paid(backoffice)
    money = disputed.balance(3, received=disputed.total, flags=["disputed"])
    await backoffice.desk.deliver(money)
    browser = await backoffice.signed_in(Role.FULFILMENT)
    path, shown = await planned_run(browser, "/orders/pack", disputed, ready)
    assert "Its payment is disputed." in shown.words
    await started(backoffice, browser, path)
    assert [command.order_id for _, command in await commands(backoffice)] == [ready.order_id]
    page = (await browser.get(f"/orders/{disputed.code}")).words
    assert "the money may be withdrawn" in page
    assert "Create parcels" in page
    assert "the money may be withdrawn" not in (await browser.get(f"/orders/{ready.code}")).words
