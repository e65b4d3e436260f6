"""The view model of the page: words for every status, and a progress that never runs ahead."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from contracts.orders.lifecycle import OrderState
from services.notifier.mails.compose.formatter import formatter
from services.notifier.mails.texts.planning import LANGUAGES
from services.notifier.page import rendering
from services.notifier.page.rendering import methods_of, words_of
from services.notifier.page.view import DONE, PARTLY, TO_COME, order_view, steps
from services.orders.order.cancellation import UNPLACED, Refused
from services.orders.order.fulfilment_status import FulfilmentStatus
from services.orders.order.payment_status import PaymentStatus

WORDS = Path(rendering.__file__).with_name("words")


def a_document(**changes: Any) -> dict[str, Any]:
    """An order as orders answers it."""
    document: dict[str, Any] = {
        "code": "K7F3-QD9M", "locale": "fr", "currency": "EUR", "state": "ready", "payment_method": "card",
        "payment_status": "paid", "fulfilment_status": "unfulfilled", "customer_name": "Zoé",
        "totals": {"total_minor": 8400}, "placed_at": "2026-11-22T13:05:00+00:00", "extra_lines": [],
        "label": {"fr": "Paiements reçus", "en": "Payments received"}, "shipping": None, "lines": [],
        "money": {"due_minor": 8400, "received_minor": 8400, "refunded_minor": 0, "balance_minor": 0},
        "payments": [], "shipments": [], "documents": [],
        "cancellation": {
            "allowed": True, "refused": None, "requested_at": None, "declined": None, "was_too_late": False,
            "paid_back_minor": 8400,
        },
    }  # fmt: skip
    return {**document, **changes}


def a_view(language: str = "fr", **changes: Any) -> dict[str, Any]:
    return order_view(
        a_document(**changes),
        formatter(language, "EUR", "Europe/Paris"),
        words_of(language),
        methods_of(language),
    )


def names(table: dict[str, Any], before: str = "") -> set[str]:
    """Every word's name, with its groups."""
    found = set[str]()
    for name, value in table.items():
        found |= names(value, f"{before}{name}.") if isinstance(value, dict) else {before + name}
    return found


def test_both_languages_have_the_same_words() -> None:
    first, second = (names(tomllib.loads((WORDS / f"{one}.toml").read_text("utf-8"))) for one in LANGUAGES)
    assert first == second


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_status_has_a_word(language: str) -> None:
    for state in set(OrderState) - UNPLACED:
        assert a_view(language, state=state.value)["sentence"]
    for status in PaymentStatus:
        assert a_view(language, payment_status=status.value)["payment"]["status"], status
    for reason in Refused:
        refused = {**a_document()["cancellation"], "allowed": False, "refused": reason.value}
        assert a_view(language, cancellation=refused)["cancellation"]["rule"]


@pytest.mark.parametrize("status", FulfilmentStatus)
def test_no_step_is_further_than_the_one_before(status: FulfilmentStatus) -> None:
    shown = steps(a_document(fulfilment_status=status.value), words_of("fr")["steps"])
    ranks = [(TO_COME, PARTLY, DONE).index(step.state) for step in shown[2:]]
    assert ranks == sorted(ranks, reverse=True)
    assert len(shown) == (2 if status is FulfilmentStatus.NOT_REQUIRED else 5)


def test_a_cancelled_order_has_no_progress_and_shows_what_is_paid_back() -> None:
    money = {"due_minor": 0, "received_minor": 8400, "refunded_minor": 0, "balance_minor": -8400}
    shown = a_view(state="cancelled", money=money)
    assert shown["steps"] == []
    assert shown["payment"]["rows"][-1][0] == "À vous rembourser"


def test_hostile_texts_are_on_one_line_and_a_tracking_address_is_a_web_address() -> None:
    shipment: dict[str, Any] = {
        "carrier": "Col\u202eissimo\n", "tracking_number": "6A\x00", "tracking_url": "javascript:alert(1)",
        "shipped_on": "2026-11-23", "expected_on": None, "lines": [], "delivered_at": None,
    }  # fmt: skip
    (shown,) = a_view(shipments=[shipment])["shipments"]
    assert (shown["carrier"], shown["number"], shown["url"]) == ("Colissimo", "6A", None)
