"""Operations on a running Comptoir: growing queues, poisoned messages explained, retried and set aside, replays,
the auditor's findings.
"""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
import pytest_asyncio
from playwright.async_api import expect

from contracts.envelope import uuid7
from contracts.sale import Module, PartialCustomer
from contracts.storefront import CheckoutOpened
from deploy.local.system import AUDITOR
from services.chassis.testing import wait_until
from services.orders.order.unit.checkouts.checkout import CLOCK_TOLERANCE
from tests.browser.conftest import PageContext
from tests.browser.running_system import OwnShop, RunningSystem
from tests.browser.visitor import BOTH_LOOKS, Look
from tests.journeys.sales import notebooks

HOSTILE = '<img src=x onerror="alert(1)">' + "W" * 120
PATIENCE_MILLISECONDS = 40_000
CURED_AFTER = timedelta(seconds=6)


def _early(shop: OwnShop, ahead: timedelta, note: str) -> CheckoutOpened:
    """Return a checkout dated in the future, which orders refuses until then."""
    return CheckoutOpened(
        shop=shop.name,
        module=Module.SHOP,
        checkout_id=uuid7(),
        idempotency_key=str(uuid7()),
        opened_at=datetime.now(UTC) + CLOCK_TOLERANCE + ahead,
        locale="fr",
        currency="EUR",
        prices_include_tax=True,
        customer=PartialCustomer(email="zoe@client.example", name=HOSTILE),
        note=note,
    )


async def _an_unanswered_command(shop: OwnShop) -> None:
    """Add a command of an hour ago whose message a queue lost."""
    connection = await asyncpg.connect(shop.system.databases["orders"])
    try:
        await connection.execute(
            """INSERT INTO command (command_id, shop, type, actor, requested_at)
               VALUES ($1, $2, 'orders.parcel.pack.v1', 'api:erp', now() - interval '1 hour')""",
            *(uuid7(), shop.name),
        )
    finally:
        await connection.close()


async def _a_failed_refund(shop: OwnShop) -> None:
    """Add a refund that the provider refused for good, and one that somebody has seen."""
    connection = await asyncpg.connect(shop.system.databases["payments"])
    try:
        await connection.execute(
            """INSERT INTO msg.effect (key, kind, state, payload, next_at, detail, created_at, updated_at,
                                       acknowledged_at, acknowledged_by, acknowledgement)
               VALUES ($2, 'refund', 'failed', jsonb_build_object('shop', $1::text), now(), $4, now(), now(),
                       NULL, NULL, NULL),
                      ($3, 'invoice_pdf', 'failed', jsonb_build_object('shop', $1::text), now(), $4, now(), now(),
                       now(), 'ada@maison.example', $4)""",
            *(shop.name, str(uuid7()), str(uuid7()), HOSTILE),
        )
    finally:
        await connection.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def troubled(running: RunningSystem, shop: OwnShop) -> AsyncIterator[OwnShop]:
    """Yield the file's shop with two poisoned messages, one of which becomes valid with time, while the auditor
    runs.
    """
    storefront = await shop.storefront()
    cured = _early(shop, CURED_AFTER, "soon")
    await storefront.publish(cured)
    await storefront.publish(_early(shop, timedelta(days=30), HOSTILE))
    await _a_failed_refund(shop)
    await running.system.start_auditor(2.0)
    await wait_until(lambda: datetime.now(UTC) + CLOCK_TOLERANCE >= cured.opened_at, 30)
    yield shop
    await running.system.supervisor.stop(AUDITOR)


@pytest.mark.rows("C07", "C08", "C17")
@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_every_page_of_operations_is_accessible_and_fits(
    context: PageContext, troubled: OwnShop, look: Look
) -> None:
    visitor = await context("owner", "/operations", look=look)
    page = visitor.page
    await expect(page.locator(".queues tbody tr")).not_to_have_count(0)
    await expect(page.locator(".broker-down, .owner-down")).to_have_count(0)
    for name, path, seen in (
        ("operations", "/operations", ".operations-tiles"),
        ("parked", "/operations/parked", ".parked-group"),
        ("replay", "/operations/replay", ".replay-form"),
        ("lost", "/operations/lost", ".replay-form"),
        ("resync", "/operations/resync?service=payments", "#confirm-title"),
        ("failed", "/operations/failed", "input[name=effect]"),
        ("findings", "/operations/findings", ".parked-head, .empty"),
    ):
        await visitor.go(path)
        await expect(page.locator(seen).first).to_be_visible()
        await visitor.axe()
        await visitor.screenshot(f"operations-{name}")
    await visitor.go("/operations/parked")
    await page.locator(".parked-group h2 a").first.click()
    await expect(page.locator("tbody tr")).not_to_have_count(0)
    await visitor.axe()
    await visitor.screenshot("operations-alike")
    await page.locator("tbody th a").first.click()
    await expect(page.locator(".payload")).to_contain_text("W" * 120)
    await visitor.axe()
    await visitor.screenshot("operations-message")


@pytest.mark.rows("C09")
@pytest.mark.parametrize("look", BOTH_LOOKS, ids=str)
async def test_a_request_that_gets_no_answer_is_ended_with_a_reason(
    context: PageContext, shop: OwnShop, look: Look
) -> None:
    await _an_unanswered_command(shop)
    visitor = await context("owner", "/operations/unanswered", look=look)
    await visitor.page.locator("input[name=command]").check()
    await visitor.page.locator("input[name=reason]").fill(HOSTILE)
    await visitor.axe()
    await visitor.screenshot("operations-unanswered")
    await visitor.fits()
    await visitor.page.locator(".unanswered button").click()
    await expect(visitor.page.locator(".empty")).to_be_visible()
    await expect(visitor.page.locator("input[name=command]")).to_have_count(0)


@pytest.mark.rows("C09", "C17")
async def test_a_queue_without_a_consumer_is_shown_live(
    context: PageContext, running: RunningSystem, shop: OwnShop
) -> None:
    visitor = await context("manager", "/operations", lang="en")
    queue = visitor.page.locator("tr", has_text="notifier.orders")
    await expect(queue).to_contain_text("OK", timeout=PATIENCE_MILLISECONDS)
    await running.system.supervisor.stop("notifier")
    try:
        await shop.order(shop.sale(notebooks(1)))
        await expect(queue).to_contain_text("No consumer", timeout=PATIENCE_MILLISECONDS)
        await expect(queue).to_contain_text("at least", timeout=PATIENCE_MILLISECONDS)
        await expect(visitor.page.locator(".operations-tiles")).to_contain_text("3 / 4")
        await visitor.screenshot("operations-unheard")
        home = await context("manager", "/", lang="en")
        await expect(home.page.get_by_text("Mail service is not responding.")).to_be_visible()
    finally:
        await running.system.start("notifier")
    await expect(queue).to_contain_text("OK", timeout=PATIENCE_MILLISECONDS)
    await expect(visitor.page.locator(".operations-tiles")).to_contain_text("4 / 4")


@pytest.mark.rows("C08")
async def test_poison_is_retried_and_what_stays_is_set_aside(context: PageContext, troubled: OwnShop) -> None:
    visitor = await context("owner", "/", lang="en")
    page = visitor.page
    await page.get_by_role("link", name="2 actions could not be finished").click()
    group = page.locator(".parked-group")
    await expect(group).to_contain_text("2 to handle")
    await expect(group).to_contain_text("a clock is wrong")
    await group.get_by_role("link").click()
    await page.get_by_role("button", name="Retry all").dblclick()
    await expect(page.get_by_text("Retry started.")).to_be_visible()
    await expect(group).to_contain_text("1 to handle", timeout=PATIENCE_MILLISECONDS)
    await group.get_by_role("link").click()
    await page.locator("tbody th a").first.click()
    await expect(page.locator(".payload")).to_contain_text(json.dumps(HOSTILE))
    await page.get_by_role("textbox", name="Reason").fill("A clock of the shop is wrong.")
    await page.get_by_role("button", name="Set aside for good").dblclick()
    await expect(page.get_by_text("Nothing is parked")).to_be_visible()
    await page.get_by_role("link", name="Set aside").click()
    await expect(page.get_by_role("row", name="A clock of the shop is wrong.")).to_have_count(1)
    await page.get_by_role("link", name="Overview").click()
    await expect(page.get_by_text("Set parked messages aside · Orders · 1 message")).to_be_visible()


@pytest.mark.rows("C06")
@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
async def test_events_are_counted_then_replayed(context: PageContext, shop: OwnShop, script: bool) -> None:
    await shop.order(shop.sale(notebooks(1)))
    visitor = await context("owner", "/operations/replay", lang="en", script=script)
    page = visitor.page
    await page.get_by_label("Sender and recipient").select_option("Orders → Payments")
    await page.get_by_label("Kind of event").select_option("orders.order.placed.v1")
    await page.get_by_role("button", name="Count them first").click()
    await page.get_by_role("button", name="Replay").click()
    await expect(page.get_by_text("Replay started.")).to_be_visible()
    await expect(page.locator("tbody tr").first).to_contain_text("Orders → Payments")
    await page.get_by_label("Sender → recipient").select_option("Payments → Orders")
    await page.get_by_role("button", name="Count the orders first").click()
    await page.get_by_role("button", name="Resync").click()
    await expect(page.get_by_text("Resync started")).to_be_visible()
    message = page.get_by_role("row", name="Payments → Orders").first
    await expect(message).to_contain_text("Payments → Orders")
    if script:
        await expect(message).to_contain_text("Finished", timeout=PATIENCE_MILLISECONDS)
        await visitor.screenshot("operations-resync")
