"""The README's program, unchanged, places an order and prints the answer."""

import asyncio
import re
import sys
from pathlib import Path

import pytest

from deploy.demo.sales.storefront import login_of
from deploy.samples.merchants import GARANCE, YOURS
from tests.journeys.shop import Shop

ROOT = Path(__file__).resolve().parents[2]
LOGIN = login_of(YOURS.shop, "shop")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    [text] = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    path = tmp_path / "order.py"
    path.write_text(text)
    return path


async def run(program: Path, *arguments: str) -> tuple[int | None, str]:
    """Return exit status and output."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(program), *arguments),
        env={"PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 90)
    return process.returncode, output.decode()


async def test_an_accepted_order_is_printed_with_its_code_and_id(shop: Shop, program: Path) -> None:
    status, output = await run(program, shop.system.amqp_url(LOGIN), YOURS.shop, LOGIN)
    assert status == 0, output
    match = re.fullmatch(r"accepted as (\S+): order (\S+)\n", output)
    assert match, output
    async with shop.client("orders", shop.system.secrets.api_tokens[YOURS.shop]) as http:
        order = (await http.get(f"/v1/orders/{match[2]}")).json()
    assert (order["code"], order["customer_email"]) == (match[1], "ada@example.org")
    assert (order["state"], order["total_minor"], order["currency"]) == ("awaiting_payment", 1500, "EUR")
    assert (order["payment_method"], order["fulfilment_status"]) == ("transfer", "not_required")


async def test_a_refused_order_is_a_failure_with_every_reason(shop: Shop, program: Path) -> None:
    status, output = await run(program, shop.system.amqp_url(LOGIN), GARANCE.shop, LOGIN)
    assert status == 1, output
    assert re.fullmatch(r"refused:\n(  \w+: .+\n)+", output), output
    assert "send each shop's orders with its own login" in output


@pytest.mark.parametrize(
    "arguments", [(), ("amqp://nobody@127.0.0.1/",), ("a", "b", "c", "d"), ("a", "", "c")]
)
async def test_missing_arguments_are_answered_with_the_usage(
    program: Path, arguments: tuple[str, ...]
) -> None:
    assert await run(program, *arguments) == (1, "usage: python order.py AMQP_URL SHOP LOGIN\n")


@pytest.mark.parametrize("wrong", ["password", "login", "port", "address"])
async def test_what_the_broker_refuses_is_one_sentence(shop: Shop, program: Path, wrong: str) -> None:
    address, login = shop.system.amqp_url(LOGIN), LOGIN
    password = shop.system.secrets.passwords[LOGIN]
    if wrong == "password":
        address = address.replace(password, "wrong")
    elif wrong == "port":
        address = re.sub(r"@[^/]+/", "@127.0.0.1:1/", address)
    elif wrong == "address":
        address = "nowhere"
    else:
        login = login_of(GARANCE.shop, "shop")
    status, output = await run(program, address, YOURS.shop, login)
    assert status == 1, output
    assert output.startswith("no answer, check AMQP_URL, SHOP and LOGIN: "), output
    assert len(output.splitlines()) == 1, output
    assert password not in output


async def test_a_virtual_host_that_does_not_exist_is_named(shop: Shop, program: Path) -> None:
    address = f"{shop.system.amqp_url(LOGIN).rpartition('/')[0]}/nowhere"
    assert await run(program, address, YOURS.shop, LOGIN) == (
        1,
        "no answer, check the virtual host that AMQP_URL ends with: does it exist, may LOGIN enter it?\n",
    )


async def test_a_shop_that_can_not_be_one_is_named(program: Path) -> None:
    status, output = await run(program, "amqp://nobody@127.0.0.1:1/", "My shop", LOGIN)
    assert (status, output.splitlines()) == (1, [output.strip()])
    assert output.startswith("check shop, which is 'My shop': ")
    assert "http" not in output
