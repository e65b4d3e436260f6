"""For tests of changes of placed orders: a placed order on a desk, fulfillment's answers, and what is asked."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from contracts.fulfillment.lines import LinesAdded, LinesReduced, MissingUnits
from contracts.fulfillment.position import FulfilmentPosition, LinePosition, StockStanding
from contracts.message import LineUnits, Message
from contracts.orders.changes import LinesAdditionRequested, LinesReductionRequested
from contracts.orders.lifecycle import OrderPlaced
from contracts.sale import LineKind
from services.chassis.testing import Desk
from services.orders.api.actions import change_actions
from services.orders.api.actions.action import Action, Actions
from services.orders.changes.requests import (
    CancellationRequest,
    DeletionRequest,
    EditRequest,
    ReinstatementRequest,
)
from tests.orders.rest_client import place

ACTOR = "staff:zoe"


class Merchant:
    """One placed order (three candles at 15.00, a lesson at 34.00, shipping 5.00: 84.00 EUR) and who changes it.

    `units` are fulfillment's quantities by line, as it would tell them.
    """

    def __init__(self, desk: Desk, order: OrderPlaced) -> None:
        self.desk, self.order = desk, order
        self.version = 1
        self.units: dict[int, dict[str, int]] = {
            line.line: {"ordered": line.quantity, "cancelled": 0, "packed": 0, "shipped": 0}
            for line in order.lines
        }
        self.kinds = {line.line: line.kind for line in order.lines}

    async def edit(self, **changes: Any) -> UUID:
        """Begin an edit: its command's id."""
        return await self._send(change_actions.edit, EditRequest.model_validate(changes))

    async def cancel(self, reason: str | None = None) -> UUID:
        """Begin a cancellation: its command's id."""
        return await self._send(change_actions.cancel, CancellationRequest(reason=reason))

    async def reinstate(self) -> UUID:
        """Begin a reinstatement: its command's id."""
        return await self._send(change_actions.reinstate, ReinstatementRequest())

    async def delete(self, *, force: bool = False) -> UUID:
        """Begin a deletion: its command's id."""
        request = DeletionRequest(reason="Commande de test")
        action = change_actions.delete(
            self.order.shop, self.order.order_id, uuid4().hex, ACTOR, request, force=force
        )
        return (await Actions(self.desk.hub).send(action)).command_id

    async def _send(self, make: Any, request: Any) -> UUID:
        action: Action = make(self.order.shop, self.order.order_id, uuid4().hex, ACTOR, request)
        return (await Actions(self.desk.hub).send(action)).command_id

    def messages_of(self, kind: type[Message]) -> list[Any]:
        """What the last unit said of one kind."""
        return [message for _, message in self.desk.emitted() if isinstance(message, kind)]

    async def last_request(self) -> Any:
        """The last question to fulfillment."""
        rows = await self.desk.fetch(
            """select type, body from msg.event_log where type like 'orders.lines.%' order by id desc limit 1"""
        )
        kind = LinesReductionRequested if "reduction" in rows[0]["type"] else LinesAdditionRequested
        return kind.model_validate_json(rows[0]["body"])

    def position(self) -> FulfilmentPosition:
        """Fulfillment's position now, a version later than the last."""
        self.version += 1
        lines = [LinePosition(line=n, kind=self.kinds[n], **units) for n, units in sorted(self.units.items())]
        return FulfilmentPosition(version=self.version, stock=StockStanding.RESERVED, lines=lines)

    async def stopped(self) -> LinesReduced:
        """Fulfillment's answer to the last question: it stops what has not left."""
        request = await self.last_request()
        stopped, left = {}, {}
        for part in request.lines:
            units = self.units[part.line]
            able = min(part.quantity, units["ordered"] - units["cancelled"] - units["shipped"])
            units["cancelled"] += able
            units["packed"] = max(
                units["shipped"], min(units["packed"], units["ordered"] - units["cancelled"])
            )
            stopped[part.line], left[part.line] = able, part.quantity - able
        return LinesReduced(
            **self._about(request), stopped=listed(stopped), left=listed(left), position=self.position()
        )

    async def added(self, missing: Mapping[int, int] | None = None) -> LinesAdded:
        """Fulfillment's answer to the last question: it adds all but these lines, of which so many are available."""
        request, short = await self.last_request(), missing or {}
        added = {}
        for part in request.lines:
            if part.line in short or (request.all_or_nothing and short):
                continue
            added[part.line] = part.quantity
            self.kinds[part.line] = LineKind(part.kind)
            units = self.units.setdefault(
                part.line, {"ordered": 0, "cancelled": 0, "packed": 0, "shipped": 0}
            )
            if request.cause == "reinstated":
                units["cancelled"] -= part.quantity
            else:
                units["ordered"] += part.quantity
        return LinesAdded(
            **self._about(request),
            added=listed(added),
            missing=[
                MissingUnits(
                    line=one.line, sku=one.sku or "", requested=one.quantity, available=short[one.line]
                )
                for one in request.lines
                if one.line in short
            ],
            position=self.position(),
        )

    def ship(self, line: int, quantity: int) -> None:
        """So many units of a line leave."""
        self.units[line]["packed"] += quantity
        self.units[line]["shipped"] += quantity

    async def command(self, command_id: UUID) -> Any:
        """A command's row."""
        return (await self.desk.fetch("select * from command where command_id = $1", command_id))[0]

    async def lines(self) -> dict[int, tuple[int, int, int]]:
        """Quantity, total and units taken off by edits, by line."""
        rows = await self.desk.fetch(
            "select line, quantity, total_minor, reduced from order_line order by line"
        )
        return {row["line"]: (row["quantity"], row["total_minor"], row["reduced"]) for row in rows}

    def _about(self, request: Any) -> dict[str, Any]:
        return {
            "shop": self.order.shop,
            "order_id": self.order.order_id,
            "code": self.order.code,
            "request_id": request.request_id,
        }


async def a_merchant(desk: Desk) -> Merchant:
    """A merchant with a fresh order."""
    return Merchant(desk, await place(desk))


def listed(units: Mapping[int, int]) -> list[LineUnits]:
    """Units as messages carry them, without zeros."""
    return [LineUnits(line=line, quantity=quantity) for line, quantity in units.items() if quantity]
