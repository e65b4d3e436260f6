"""Invoices over HTTP: a program has one issued, reads and changes a shop's invoicing settings; payments does it all.

The payments service whose settings are read is the real one, over real HTTP.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from contracts.envelope import uuid7
from contracts.message import Reason
from contracts.payments.invoices import (
    ChangeInvoicing,
    InvoiceIssued,
    InvoiceTotals,
    InvoicingChanged,
    InvoicingSettings,
    ReissueInvoice,
)
from deploy.local.ports import free_ports
from services.payments import api
from tests.conftest import Desks
from tests.orders.api.test_api_lists import fits
from tests.orders.rest_client import OTHER_TOKEN, TOKENS, answered, client, key, place, rejected, sent
from tests.payments.cashdesk import CashDesk
from tests.payments.conftest import CashDesks, cashdesks
from tests.serving import serving

__all__ = ["cashdesks"]

SETTINGS: dict[str, Any] = {"is_on": True, "name": "Atelier Kerdrel", "payment_days": 30}


BLANK = {
    "code": "text_blank",
    "message": "reason is blank or has only characters that can't be seen: write it.",
    "field": "reason",
}


def issued(code: str) -> Any:
    def answer(_: UUID, request: ReissueInvoice) -> InvoiceIssued:
        return InvoiceIssued(
            shop=request.shop,
            order_id=request.order_id,
            code=code,
            invoice_id=uuid7(),
            number="F2026-00042",
            issued_on=date(2026, 11, 30),
            issued_at=datetime(2026, 11, 30, tzinfo=UTC),
            currency="EUR",
            totals=InvoiceTotals(net_minor=7000, tax_minor=1400, total_minor=8400),
            locale="fr",
            mails_customer=True,
        )

    return answer


def changed(_: UUID, request: ChangeInvoicing) -> InvoicingChanged:
    return InvoicingChanged(
        shop=request.shop,
        version=request.version + 1,
        is_on=request.settings.is_on,
        issue_at=request.settings.issue_at,
        missing=["siret"],
        changed_by=request.actor,
        changed_at=datetime(2026, 11, 30, tzinfo=UTC),
    )


async def test_an_invoice_is_issued_and_its_repeat_sends_no_second_command(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    placed = await place(desk)
    url, body, headers = f"/v1/orders/{placed.code}/invoices", {"reason": "Raison sociale corrigée"}, key()
    async with client(desk) as http:
        answer = await answered(desk, http.post(url, json=body, headers=headers), issued(placed.code))
        again = await http.post(url, json=body, headers=headers)
        unsaid = await http.post(url, json={"reason": ""}, headers=key())
        unseen = await http.post(url, json={"reason": " \u200b"}, headers=key())
    assert (answer.status_code, again.json()) == (201, answer.json())
    fits("CommandResponse", answer.json())
    assert answer.json()["outcome"]["number"] == "F2026-00042"
    assert unsaid.status_code == 422
    assert (unseen.status_code, unseen.json()["errors"]) == (422, [BLANK])
    ((_, command),) = await sent(desk)
    assert isinstance(command, ReissueInvoice)
    assert (command.order_id, command.reason, command.actor) == (placed.order_id, body["reason"], "api:erp")
    async with client(desk, OTHER_TOKEN) as http:
        foreign = await http.post(url, json=body, headers=key())
    assert (foreign.status_code, foreign.json()["code"]) == (404, "order_unknown")


async def test_invoicing_settings_are_replaced_and_missing_mentions_are_named(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    body = {"settings": SETTINGS, "keeps_logo": True, "version": 3}
    async with client(desk) as http:
        answer = await answered(desk, http.post("/v1/invoicing", json=body, headers=key()), changed)
        fits("CommandResponse", answer.json())
        assert (answer.status_code, answer.json()["outcome"]["missing"]) == (200, ["siret"])
        stale = Reason(code="version_differs", message="the settings have version 4, not 3", field="version")
        refused = await answered(desk, http.post("/v1/invoicing", json=body, headers=key()), rejected(stale))
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "version_differs")
        misspelt = {**body, "settings": {**SETTINGS, "payement_days": 30}}
        unknown = await http.post("/v1/invoicing", json=misspelt, headers=key())
        assert (unknown.status_code, unknown.json()["errors"][0]["message"]) == (
            422,
            "settings.payement_days is unknown: correct its name or leave it out.",
        )
        odd = {
            **body,
            "settings": {**SETTINGS, "name": "N" * 201, "payment_days": 121, "invoice_prefix": "é"},
        }
        response = (await http.post("/v1/invoicing", json=odd, headers=key())).json()["errors"]
        assert {one["field"]: one["message"] for one in response} == {
            "settings.name": "settings.name has 201 characters, 200 are allowed: shorten it.",
            "settings.payment_days": "settings.payment_days is 121, the maximum is 120: correct it.",
            "settings.invoice_prefix": (
                "settings.invoice_prefix must be 1 to 10 capital letters, digits and hyphens, such as F."
            ),
        }
        broken = {
            **body,
            "settings": {"name": "a\0b", "city": "a\ud800", "first_day": "2026-02-30"},
        }
        response = await http.post(
            "/v1/invoicing", content=json.dumps(broken), headers={**key(), "content-type": "application/json"}
        )
        assert (
            response.status_code,
            {one["field"]: one["message"] for one in response.json()["errors"]},
        ) == (
            422,
            {
                "settings.name": "settings.name must not contain the NUL character: remove it.",
                "settings.city": (
                    "settings.city contains half of a surrogate pair, which is not a character: remove it."
                ),
                "settings.first_day": (
                    "settings.first_day is 2026-02-30, a day that does not exist: correct it."
                ),
            },
        )
    (_, command), _ = await sent(desk)
    assert isinstance(command, ChangeInvoicing)
    assert (command.shop, command.version, command.keeps_logo) == ("maison", 3, True)
    assert (command.settings.name, command.settings.payment_days) == ("Atelier Kerdrel", 30)


@dataclass(frozen=True)
class Payments:
    """A payments service that serves its routes at `url`."""

    cashdesk: CashDesk
    url: str


@pytest.fixture
async def payments(cashdesks: CashDesks) -> AsyncIterator[Payments]:
    cashdesk = await cashdesks()
    async with serving(api.build(cashdesk.hub, cashdesk.receiver, cashdesk.renderer)) as url:
        yield Payments(cashdesk, url)


async def test_settings_that_only_a_newer_payments_can_read_are_named(desks: Desks) -> None:
    """In the middle of an upgrade orders may be the older one."""

    async def newer(_: Request) -> JSONResponse:
        settings = {**InvoicingSettings().model_dump(mode="json"), "issue_at": "shipment"}
        lists: dict[str, list[Any]] = {"missing": [], "invalid": [], "waiting": [], "failed": []}
        return JSONResponse({"version": 4, "settings": settings, **lists})

    async with serving(Starlette(routes=[Route("/internal/invoicing", newer)])) as url:
        desk = await desks("orders", api_tokens=TOKENS, payments_url=url)
        async with client(desk) as http:
            answer = await http.get("/v1/invoicing")
    assert (answer.status_code, answer.json()["code"]) == (409, "settings_unreadable")
    assert "(issue_at): finish the upgrade of orders" in answer.json()["detail"]


async def test_settings_are_read_with_the_version_that_a_change_of_them_names(
    desks: Desks, payments: Payments
) -> None:
    desk = await desks("orders", api_tokens=TOKENS, payments_url=payments.url)
    async with client(desk) as http:
        unset = await http.get("/v1/invoicing")
        fits("InvoicingResponse", unset.json())
        assert (unset.status_code, unset.json()["version"], unset.json()["missing"]) == (200, 0, [])

        body = {"settings": SETTINGS, "version": unset.json()["version"]}
        await answered(desk, http.post("/v1/invoicing", json=body, headers=key()), changed)
        ((_, first),) = await sent(desk)
        await payments.cashdesk.desk.deliver(first)
        read = (await http.get("/v1/invoicing")).json()
        fits("InvoicingResponse", read)
        assert (read["version"], read["has_logo"], read["waiting"], read["failed"]) == (1, False, [], [])
        assert {name: read["settings"][name] for name in SETTINGS} == SETTINGS
        assert "siret" in read["missing"]
        assert read["invalid"] == []

        back = {"settings": {**read["settings"], "siret": "73282932000074"}, "version": read["version"]}
        await answered(desk, http.post("/v1/invoicing", json=back, headers=key()), changed)
        *_, (_, second) = await sent(desk)
        await payments.cashdesk.desk.deliver(second)
        again = (await http.get("/v1/invoicing")).json()
        assert (again["version"], again["settings"]["siret"]) == (2, "73282932000074")
        assert "siret" not in again["missing"]
        assert again["doubtful"] == []

        await payments.cashdesk.hub.pool.execute(
            """UPDATE invoicing SET settings = settings || '{"vat_number": "FR83404833048"}'"""
        )
        doubted = (await http.get("/v1/invoicing")).json()
        fits("InvoicingResponse", doubted)
        assert [(one["field"], one["code"]) for one in doubted["doubtful"]] == [
            ("settings.vat_number", "siren_differs")
        ]
        await payments.cashdesk.hub.pool.execute(
            """UPDATE invoicing SET settings = settings || '{"issue_at": "shipment"}'"""
        )
        unreadable = await http.get("/v1/invoicing")
        assert unreadable.headers["content-type"] == "application/problem+json"
        assert (unreadable.status_code, unreadable.json()["code"]) == (409, "settings_unreadable")
        assert "can't be read by this version (issue_at)" in unreadable.json()["detail"]
    async with client(desk, OTHER_TOKEN) as http:
        assert (await http.get("/v1/invoicing")).json()["version"] == 0
    async with client(desk, "token-of-nobody-0123456789") as http:
        assert (await http.get("/v1/invoicing")).status_code == 401


@pytest.mark.parametrize("is_set", [True, False])
async def test_settings_that_payments_does_not_give_are_503(desks: Desks, is_set: bool) -> None:
    (nobody,) = free_ports(1)
    url = f"http://127.0.0.1:{nobody}" if is_set else None
    desk = await desks("orders", api_tokens=TOKENS, payments_url=url)
    async with client(desk) as http:
        answer = await http.get("/v1/invoicing")
    assert (answer.status_code, answer.json()["code"]) == (503, "payments_unavailable")
    fits("ProblemDetails", answer.json())


async def test_settings_are_of_their_types_as_amounts_are(desks: Desks) -> None:
    desk = await desks("orders", api_tokens=TOKENS)
    body = {"settings": {"is_on": "yes", "payment_days": "30", "vat_on_debits": 1}, "version": 0}
    async with client(desk) as http:
        answer = await http.post("/v1/invoicing", json=body, headers=key())
    assert answer.status_code == 422, answer.text
    assert {one["field"]: one["message"] for one in answer.json()["errors"]} == {
        "settings.is_on": "settings.is_on must be true or false, without quotes, not a text.",
        "settings.payment_days": "settings.payment_days must be a JSON integer without quotes, point or exponent: "
        'send 30, not "30".',
        "settings.vat_on_debits": "settings.vat_on_debits must be true or false, without quotes, not a number.",
    }
