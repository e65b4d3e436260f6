"""Backup while orders flow, loss of everything, restore to that time: nothing is sent twice, and the shop goes on."""

import asyncio
import json
import re
import secrets
import shutil
import signal
import stat
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from contracts.catalogue import SERVICES
from contracts.sale import PaymentMethod
from deploy.auditor.auditing import audit
from deploy.backup.filling import database_state
from deploy.backup.restore_state import Step
from deploy.databases import create_databases, drop_databases
from deploy.demo.addresses import operator_settings
from deploy.demo.sales.sale import Sale
from deploy.local.parts import Postgres, RabbitMQ
from deploy.local.supervisor import inherited
from deploy.local.system import PROGRAMS, ROOT
from deploy.topology import broker_of
from services.chassis.testing import wait_until
from tests.journeys.mailbox import mails_in
from tests.journeys.operating import operate, operate_json
from tests.journeys.sales import a_sale, notebooks
from tests.journeys.shop import Shop
from tests.journeys.test_invoices import invoicing_shop_in
from tests.preloading import Preloaded

pytestmark = [pytest.mark.rows("C06", "C17"), pytest.mark.timeout(300)]
SECONDS = 60.0
LATER_COPIES = """UPDATE orders SET payment_version = payment_version + 5, fulfilment_version = fulfilment_version + 5,
    received_minor = received_minor + 1, stock = 'missing'"""
"""As if orders had heard of more than the restored owners know."""


@pytest_asyncio.fixture
async def doomed(
    parts_folder: Path, preloaded: Preloaded, postgres: Postgres, rabbitmq: RabbitMQ
) -> AsyncIterator[Shop]:
    """Yield a shop of its own system, with invoices, whose databases may be destroyed."""
    folder = parts_folder / f"restore-{secrets.token_hex(4)}"
    async with invoicing_shop_in(folder, postgres, rabbitmq, preloaded) as opened:
        yield opened


async def test_a_restore_to_an_earlier_time(doomed: Shop, tmp_path: Path) -> None:
    shop, folder = doomed, tmp_path / "backup"
    paid, pending, during = a_sale(), a_sale(), list[Sale]()
    [order] = await shop.order(paid)
    await shop.report(paid)
    await shop.mails_to(paid.recipient, "Facture")
    await operate_json(shop, "pause", "notifier", "--only", "effects", "--reason", "mail server moves")
    await shop.order(pending)
    await until_mail(shop, pending, "planned")

    async with asyncio.TaskGroup() as group:
        selling = group.create_task(sell(shop, during))
        made = await operate_json(shop, "backup", str(folder))
        selling.cancel()
    check_backup(folder, made, shop)
    await without_space(shop, tmp_path / "full")

    await operate_json(shop, "resume", "notifier")
    await shop.mails_to(pending.recipient)
    later = a_sale(method=PaymentMethod.CARD)
    [lost] = await shop.order(later)
    await shop.report(later)
    await shop.mails_to(later.recipient, "Facture")
    parcel = await shop.pack(order, {1: 1})
    await shop.ship(order, [parcel], notify_customer=True)
    await shop.mails_to(paid.recipient, count=3)
    numbers = await issued(shop)
    unread = a_sale()
    await shop.system.supervisor.stop("notifier")
    await shop.order(unread)
    sent = mails(shop)

    await destroy(shop)
    await refused(shop, folder, tmp_path)
    await killed(shop, folder)
    status, output = await operate(shop, "restore", str(folder))
    assert (status, f"--last-number {shop.name}/invoice/" in output) == (1, True), output
    series = re.findall(r"--last-number (\S+/(invoice|credit_note)/\d+)=", output)
    last = [f"--last-number={one}={max(numbers) if kind == 'invoice' else 0}" for one, kind in series]
    status, output = await operate(shop, "restore", str(folder), *last, "--wait", "0")
    assert (status, "Start all processes and run the restore again" in output) == (3, True), output
    assert await steps(shop, folder) == {Step.OPEN}
    await execute(shop.system.databases["orders"], LATER_COPIES)

    await shop.system.start(*PROGRAMS)
    await go_on(shop, folder, [paid, pending, later, unread, *during], (order, lost), sent, max(numbers))


async def go_on(
    shop: Shop, folder: Path, sales: list[Sale], orders: tuple[str, str], sent: Counter[Any], last: int
) -> None:
    """Rejoin the services, reconcile, finish, and sell on."""
    _, pending, later, *_ = sales
    status, output = await operate(shop, "restore", str(folder), "--json")
    found = json.loads(output.splitlines()[-1])
    assert found["finished"] is False
    assert status == bool(found["violations"]), output
    assert found["uncertain"]["notifier"]["mail"] >= 1
    assert found["invoice_gaps"][0]["last"] == last
    await shop.until_order(orders[0], payment_status="paid", fulfilment_status="unfulfilled")

    await shop.submit(*sales)
    for sale in sales:
        await shop.until_order(str(sale.event_id))
    await shop.report(later)
    await shop.until_order(orders[1], payment_status="paid")
    await until_mail(shop, later, "uncertain")
    ended = await operate_json(shop, "restore", str(folder), "--finish")
    assert (ended["finished"], ended["violations"]) == (True, [])
    assert mails(shop) == sent, "a restore sends nothing"

    await operate_json(shop, "resume", "notifier")
    [mail] = [one for one in await known_mails(shop, pending) if one["state"] == "uncertain"]
    await shop.do(f"/mails/{mail['id']}/confirm", {})
    await until_mail(shop, pending, "done")
    parcel = await shop.pack(orders[0], {1: 2})
    await shop.ship(orders[0], [parcel])
    await shop.until_order(orders[0], fulfilment_status="shipped")
    await shop.change(str(pending.event_id), "cancellation")
    await shop.until_order(str(pending.event_id), state="cancelled")
    new = a_sale(notebooks(3))
    [fresh] = await shop.order(new)
    await shop.report(new)
    await shop.until_order(fresh, payment_status="paid", fulfilment_status="unfulfilled")
    await shop.mails_to(new.recipient, "Facture")
    assert min(number for number in await issued(shop) if number > last) > last
    assert max((mails(shop) - sent).values()) == 1, "nothing is sent twice"
    code = (await shop.shown(fresh))["code"]
    for recipient, subject in mails(shop) - sent:
        assert new.recipient in recipient or (shop.merchant in recipient and code in subject), subject
    assert await audit(shop.system.databases) == []
    assert (await operate_json(shop, "restore", str(folder)))["finished"] is True


async def sell(shop: Shop, sales: list[Sale]) -> None:
    """Order and pay until cancelled."""
    while True:
        sale = a_sale()
        sales.append(sale)
        await shop.submit(sale)
        await shop.report(sale)


def check_backup(folder: Path, made: dict[str, Any], shop: Shop) -> None:
    files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    assert files == {f"{name}.dump": 0o600 for name in SERVICES} | {"manifest.json": 0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert set(made["databases"]) == set(SERVICES)
    assert all(one["last_event"] and one["migrations"] for one in made["databases"].values())
    secret = shop.system.databases["orders"].split(":")[2].split("@")[0]
    assert secret not in (folder / "manifest.json").read_text()


async def refused(shop: Shop, folder: Path, tmp_path: Path) -> None:
    """Bad input, each refused with a sentence and without a change."""
    again = await operate(shop, "backup", str(folder))
    assert (again[0], "is not empty" in again[1]) == (2, True), again
    assert (await operate(shop, "backup", str(tmp_path / "empty")))[0] == 1, "not migrated"
    assert not (tmp_path / "empty").exists()
    damaged, newer = tmp_path / "damaged", tmp_path / "newer"
    shutil.copytree(folder, damaged)
    content = bytearray((damaged / "payments.dump").read_bytes())
    content[len(content) // 2] ^= 1
    (damaged / "payments.dump").write_bytes(content)
    shutil.copytree(folder, newer)
    manifest = json.loads((newer / "manifest.json").read_text())
    manifest["databases"]["orders"]["migrations"].append("20991231000000")
    (newer / "manifest.json").write_text(json.dumps(manifest))
    foreign = shop.system.databases["notifier"]
    await execute(foreign, "CREATE TABLE somebody_elses (id int)")
    for wrong, words in (
        (damaged, "payments.dump is damaged"),
        (newer, "is of a newer version"),
        (folder, "is not empty: it has 1 tables"),
    ):
        status, output = await operate(shop, "restore", str(wrong))
        assert (status, words in output) == (1, True), output
    await execute(foreign, "DROP TABLE somebody_elses")
    await without_rights(shop, folder)
    assert await steps(shop, folder) == {Step.EMPTY}


async def without_rights(shop: Shop, folder: Path) -> None:
    """Refuse to restore with a role that does not own its database."""
    name = f"comptoir_orders_{shop.system.name}"
    admin = shop.system.postgres.admin_url
    await execute(admin, f'ALTER DATABASE "{name}" OWNER TO CURRENT_USER')
    await execute(admin, f'GRANT CONNECT ON DATABASE "{name}" TO "{name}"')
    status, output = await operate(shop, "restore", str(folder))
    assert (status, "make it the database's owner" in output) == (1, True), output
    await execute(admin, f'ALTER DATABASE "{name}" OWNER TO "{name}"')


async def without_space(shop: Shop, folder: Path) -> None:
    """Back up where files can't grow, as on a full disk: it is said, and nothing is left."""
    argv = [sys.executable, "-m", "deploy.cli", "backup", str(folder)]
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", 'ulimit -f 8; exec "$@"', "sh", *argv),
        env={**inherited(), **operator_settings(shop.system)},
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )
    _, output = await process.communicate()
    assert (process.returncode, b"disk or file size limit" in output) == (1, True), output
    assert not folder.exists()


async def killed(shop: Shop, folder: Path) -> None:
    """Kill a restore in the middle: once two databases have been begun."""
    env = {**inherited(), **operator_settings(shop.system)}
    argv = [sys.executable, "-m", "deploy.cli", "restore", str(folder)]
    process = await asyncio.create_subprocess_exec(*argv, env=env, cwd=ROOT)

    async def is_begun() -> bool:
        return (await state_of(shop, folder, "payments")) is not Step.EMPTY

    await wait_until(is_begun, SECONDS, "payments is not begun")
    process.send_signal(signal.SIGKILL)
    await process.wait()
    assert Step.EMPTY in await steps(shop, folder)


async def destroy(shop: Shop) -> None:
    """Lose the databases and a queue; the other queues keep what nobody knows any more."""
    system = shop.system
    for program in PROGRAMS:
        await system.supervisor.kill(program)
    await drop_databases(system.postgres.admin_url, f"_{system.name}")
    system.databases.update(await create_databases(system.postgres.admin_url, f"_{system.name}"))
    management = broker_of(operator_settings(system)).management
    management.send("DELETE", f"queues/{quote(management.vhost, safe='')}/payments.orders")


async def steps(shop: Shop, folder: Path) -> set[Step | None]:
    return {await state_of(shop, folder, service) for service in SERVICES}


async def state_of(shop: Shop, folder: Path, service: str) -> Step | None:
    backup_id = UUID(json.loads((folder / "manifest.json").read_text())["backup_id"])
    return (await database_state(service, shop.system.databases[service], backup_id)).step


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def issued(shop: Shop) -> list[int]:
    """Return the positions of the invoices in their series."""
    connection = await asyncpg.connect(shop.system.databases["payments"])
    try:
        return [row["position"] for row in await connection.fetch("SELECT position FROM invoice")]
    finally:
        await connection.close()


async def known_mails(shop: Shop, sale: Sale) -> list[dict[str, Any]]:
    async with shop.client("notifier") as http:
        answer = await http.get("/internal/mails", params={"text": sale.recipient, "shop": shop.name})
    found: list[dict[str, Any]] = answer.json()["mails"]
    return found


async def until_mail(shop: Shop, sale: Sale, state: str) -> None:
    async def is_so() -> bool | None:
        return any(mail["state"] == state for mail in await known_mails(shop, sale)) or None

    await shop.until(f"mail to {sale.recipient} that is {state}", is_so)


def mails(shop: Shop) -> Counter[tuple[str, str]]:
    """Return how often each mail arrived, by recipient and subject."""
    return Counter((str(mail["To"]), str(mail["Subject"])) for mail in mails_in(shop.mail_folder))
