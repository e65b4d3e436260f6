"""The ten lines of the README place an order, as they stand."""

import asyncio
import re
import sys
from pathlib import Path
from typing import Any

from tests.journeys.shop import Shop

ROOT = Path(__file__).resolve().parents[2]


async def test_the_readmes_program_places_an_order(shop: Shop, tmp_path: Path) -> None:
    [text] = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    program = tmp_path / "publish.py"
    program.write_text(text)
    storefront = await shop.storefront()
    before = set(storefront.answers)

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, program, shop.system.amqp_url(storefront.login), shop.name, storefront.login),
        env={"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, said

    async def placed() -> dict[str, Any] | None:
        orders = (await shop.http.get("/v1/orders")).json()["orders"]
        return next((order for order in orders if order["customer_email"] == "ada@example.org"), None)

    order = await shop.until("order of Ada", placed)
    assert (order["state"], order["total_minor"], order["currency"]) == ("awaiting_payment", 1500, "EUR")
    assert (order["payment_method"], order["fulfilment_status"]) == ("transfer", "not_required")
    assert {str(answer) for answer in set(storefront.answers) - before} == {
        order["order_id"],
        said.decode().strip(),
    }
