"""The README's diagram is the state function's, its commands are the Makefile's, its program publishes an order."""

import re
from itertools import product
from pathlib import Path

from contracts.sale import PaymentMethod
from services.orders.order.fulfilment_status import Quantities
from services.orders.order.state import Facts, automatic_state

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
UNITS = 2


def _facts(owed: bool, method: PaymentMethod, packed: int, shipped: int, delivered: int) -> Facts:
    quantities = Quantities(ordered=UNITS, needed=UNITS, packed=packed, shipped=shipped, delivered=delivered)
    return Facts(balance_minor=100 if owed else 0, method=method, quantities=quantities)


def _edges_of_the_function() -> set[tuple[str, str, str]]:
    edges = set()
    counts = [
        (packed, shipped, delivered)
        for packed, shipped, delivered in product(range(UNITS + 1), repeat=3)
        if delivered <= shipped <= packed
    ]
    for owed, method, (packed, shipped, delivered) in product(
        (True, False), (PaymentMethod.CARD, PaymentMethod.CASH), counts
    ):
        before = automatic_state(_facts(owed, method, packed, shipped, delivered)).value
        if (packed, shipped, delivered) == (0, 0, 0):
            edges.add(("[*]", before, "OrderPlaced"))
        steps = {
            "BalanceChanged": (not owed, packed, shipped, delivered),
            "ParcelPacked": (owed, packed + 1, shipped, delivered),
            "ShipmentDispatched": (owed, packed, shipped + 1, delivered),
            "DeliveryRecorded": (owed, packed, shipped, delivered + 1),
        }
        for event, (owes, packs, ships, delivers) in steps.items():
            if delivers <= ships <= packs <= UNITS:
                after = automatic_state(_facts(owes, method, packs, ships, delivers)).value
                edges |= {(before, after, event)} if after != before else set()
    return edges


def test_the_diagram_is_the_state_functions() -> None:
    drawn = set(re.findall(r"^    (\S+) --> (\S+): (\w+)$", README, re.MULTILINE))
    assert drawn == _edges_of_the_function()


def test_every_command_the_readme_names_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make ([a-z-]+)\b", README)) - {"alone"} <= targets


def test_the_program_that_publishes_compiles() -> None:
    [program] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    compile(program, "README.md", "exec")
