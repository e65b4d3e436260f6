"""How many files a click on «Recevoir le chèque» opens: a POST reads facts, makes a command, and waits for it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from tests.backoffice.browser import Backoffice
from tests.backoffice.ledger_messages import receive
from tests.orders.rest_client import patiently, place, sale, sent, settled

ROOT = Path(__file__).parents[3]
MOST_FILES = 15
EVERY_REQUEST = (
    "services/chassis/",
    "services/orders/backoffice/access/",
    "services/orders/backoffice/language/",
    "services/orders/backoffice/web/dispatching.py",
    "services/orders/backoffice/web/app_state.py",
    "services/orders/backoffice/web/security.py",
    "services/orders/backoffice/web/settings.py",
    "services/orders/backoffice/web/page_context.py",
    "contracts/",
)
"""What every request passes through, which a reader needs to know once."""


@contextmanager
def _opened(files: set[str]) -> Iterator[None]:
    """Collect the files of ours in which a function is called."""

    def note(frame: FrameType, event: str, _: Any) -> None:
        name = frame.f_code.co_filename
        if event == "call" and name.startswith((f"{ROOT}/services/", f"{ROOT}/contracts/")):
            files.add(name.removeprefix(f"{ROOT}/"))

    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(None)


async def test_a_click_opens_no_more_files_than_a_person_can_read(backoffice: Backoffice) -> None:
    placed = await place(backoffice.desk, sale(shop="maison"))
    browser = await backoffice.signed_in()
    path = f"/orders/{placed.code}/payment"
    form = (await browser.get(f"/orders/{placed.code}")).form(path)
    files: set[str] = set()
    with _opened(files):
        pending = patiently(browser.post(path, form.filled(amount="84,00", received_on="2026-11-22")))
        ((command_id, command),) = await sent(backoffice.desk)
    reply: Callable[..., Any] = settled(placed.code)
    await backoffice.desk.deliver(reply(command_id, command), causation_id=command_id, sender="payments")
    with _opened(files):
        shown = await pending
    assert shown.status == 303
    own = sorted(name for name in files if not name.startswith(EVERY_REQUEST))
    assert "services/orders/backoffice/order/command_pages.py" in own
    assert "services/orders/api/actions/action.py" in own
    assert len(own) <= MOST_FILES, own
    assert "services/orders/backoffice/order/reading.py" not in own, "a POST does not read the whole page"


PAGE = "services/orders/backoffice/order/reading.py"


@contextmanager
def _called(functions: set[str]) -> Iterator[None]:
    """Collect the functions of the order page's reading that are called."""

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_filename == f"{ROOT}/{PAGE}":
            functions.add(frame.f_code.co_name)

    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(None)


@pytest.mark.parametrize(
    ("path", "fields", "read"),
    [
        ("status", {"label": "processing"}, set()),
        ("edit", {"deed": "save", "quantity_1": "2"}, set()),
        (
            "refund",
            {"deed": "refund", "what": "amount", "amount": "1", "mode": "recorded"},
            {"read_document"},
        ),
    ],
)
async def test_a_post_reads_what_its_command_needs_and_not_the_page(
    backoffice: Backoffice, path: str, fields: dict[str, str], read: set[str]
) -> None:
    placed = await place(backoffice.desk, sale(shop="maison"))
    await receive(backoffice.desk, placed, 8400)
    browser = await backoffice.signed_in()
    shown = f"/orders/{placed.code}" + ("" if path == "status" else f"/{path}")
    form = (await browser.get(shown)).form(f"/orders/{placed.code}/{path}")
    called: set[str] = set()
    with _called(called):
        answer = await browser.post(form.action, form.filled(**fields))
    assert answer.status < 400, answer.words
    assert called == read
