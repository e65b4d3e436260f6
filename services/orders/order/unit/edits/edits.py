"""Contents and changes of one unit's orders: read when a change is requested or answered, written at once."""

import json
from collections.abc import Sequence
from uuid import UUID

from pydantic import TypeAdapter

from contracts.fulfillment.position import LinePosition
from contracts.orders.changes import ChangeCause
from contracts.sale import Customer
from services.chassis.messaging.unit import Unit
from services.orders.order.search.indexing import note_changed
from services.orders.order.store import OrderKey, Row
from services.orders.order.totals.content import Content, ContentLine
from services.orders.order.unit.edits import deletion_store, edit_store
from services.orders.order.unit.edits.edit import Edit, EditState
from services.orders.order.unit.submissions.placed_store import taxes_json

_POSITIONS = TypeAdapter(list[LinePosition])
_AMENDED = (
    "customer",
    "billing_address",
    "shipping_address",
    "shipping",
    "extra_lines",
    "totals",
    "note",
)
_PRIVATE = ("ip_address", "browser")


class Edits:
    """Contents, known quantities and changes by order. Loaded after the orders are locked."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self.contents: dict[OrderKey, Content] = {}
        self.positions: dict[OrderKey, list[LinePosition]] = {}
        self.of_order: dict[OrderKey, list[Edit]] = {}
        self._changed: dict[UUID, Edit] = {}
        self._amended: dict[OrderKey, None] = {}
        self._erased: list[tuple[OrderKey, UUID, deletion_store.Tombstone]] = []

    async def load(self, keys: Sequence[OrderKey]) -> None:
        """Read the contents and all changes of these orders. Keys must be sorted."""
        connection = self._unit.connection
        for row in await edit_store.read_contents(connection, keys):
            key = (row["shop"], row["order_id"])
            self.contents[key] = content_of(row)
            self.positions[key] = _POSITIONS.validate_json(row["line_positions"])
            self.of_order[key] = []
        for row in await edit_store.read_edits(connection, keys):
            self.of_order[row["shop"], row["order_id"]].append(_edit_of(row))

    def find(self, key: OrderKey, edit_id: UUID) -> Edit | None:
        """Return a change of an order."""
        return next((edit for edit in self.of_order.get(key, ()) if edit.id == edit_id), None)

    def open_of(self, key: OrderKey) -> Edit | None:
        """Return the order's change that is waiting for fulfillment's answer."""
        return next((edit for edit in self.of_order.get(key, ()) if edit.is_open), None)

    def asked_by(self, question_id: UUID) -> list[tuple[OrderKey, Edit]]:
        """Return the open change, with its order, whose question to fulfillment is this message."""
        return [
            (key, edit)
            for key, edits in self.of_order.items()
            for edit in edits
            if edit.is_open and edit.question_id == question_id
        ]

    def done_of(self, key: OrderKey) -> list[Edit]:
        """Return an order's changes that took effect, in their order."""
        done = [edit for edit in self.of_order.get(key, ()) if edit.number is not None]
        return sorted(done, key=lambda edit: edit.number or 0)

    def add(self, edit: Edit) -> None:
        """Add a newly requested change."""
        self.of_order.setdefault((edit.shop, edit.order_id), []).append(edit)
        self.changed(edit)

    def changed(self, edit: Edit) -> None:
        """Mark a change for writing."""
        self._changed[edit.id] = edit

    def amend(self, key: OrderKey, content: Content) -> None:
        """Replace an order's content."""
        self.contents[key] = content
        self._amended[key] = None

    def erase(self, key: OrderKey, edit: Edit, tombstone: deletion_store.Tombstone) -> None:
        """Mark an order for erasure with all its rows; the unit's other writes about it come first."""
        self._erased.append((key, edit.id, tombstone))

    async def save(self) -> None:
        """Write changes, contents and their list columns."""
        writes = self._unit.writes
        if self._changed:
            await edit_store.write_edits(writes, list(self._changed.values()))
        if not self._amended:
            return
        contents = {key: self.contents[key] for key in self._amended}
        lines = [_line_row(key, line) for key, content in contents.items() for line in content.lines]
        await edit_store.write_lines(writes, lines)
        amendments = [
            edit_store.AmendmentRow(*key, content=amendment_of(content)) for key, content in contents.items()
        ]
        await edit_store.write_amendments(writes, amendments)
        await edit_store.write_heads(writes, [_head_row(key, one) for key, one in contents.items()])
        for shop in {shop for shop, _ in contents}:
            await note_changed(writes, shop, [order_id for at, order_id in contents if at == shop])

    async def save_erasures(self) -> None:
        """Erase the marked orders, after all other writes."""
        if self._erased:
            await self._unit.writes.send()
        for key, command_id, tombstone in self._erased:
            await deletion_store.erase(self._unit.connection, key, command_id, tombstone)


def content_of(row: Row) -> Content:
    """Return the content of an order from a row of `read_contents`, without IP address and browser."""
    submission = json.loads(row["submission"] or "{}") | json.loads(row["amendment"] or "{}")
    customer = {name: value for name, value in submission.get("customer", {}).items() if name not in _PRIVATE}
    own = {"name": row["customer_name"], "email": row["customer_email"], "phone": row["customer_phone"]}
    lines = [ContentLine.model_validate(line) for line in json.loads(row["lines"])]
    return Content.model_validate(
        {
            **{name: submission[name] for name in (*_AMENDED, "prices_include_tax") if name in submission},
            "customer": Customer.model_construct(**{**customer, **own}),
            "currency": row["currency"],
            "method": row["payment_method"],
            "lines": lines,
        }
    )


def amendment_of(content: Content) -> str:
    """Return the parts of a content that replace the submission's, as JSON; a null removes a value."""
    return content.model_dump_json(include=set(_AMENDED))


def _edit_of(row: Row) -> Edit:
    return Edit(
        shop=row["shop"],
        order_id=row["order_id"],
        id=row["edit_id"],
        cause=ChangeCause(row["cause"]),
        actor=row["actor"],
        reason=row["reason"],
        total_before_minor=row["total_before_minor"],
        total_after_minor=row["total_after_minor"],
        requested_at=row["requested_at"],
        state=EditState(row["state"]),
        forced=row["forced"],
        wanted=Content.model_validate_json(row["wanted"]) if row["wanted"] else None,
        asked_off=_units(row["asked_off"]),
        asked_on=_units(row["asked_on"]),
        stopped=_units(row["stopped"]),
        not_stopped=_units(row["not_stopped"]),
        missing=_units(row["missing"]),
        number=row["number"],
        due_change_minor=row["due_change_minor"],
        undone_by=row["undone_by"],
        settled_at=row["settled_at"],
        question_id=row["question_id"],
        notify_customer=row["notify_customer"],
        public_comment=row["public_comment"],
    )


def _units(text: str) -> dict[int, int]:
    return {int(line): quantity for line, quantity in json.loads(text).items()}


def _line_row(key: OrderKey, line: ContentLine) -> edit_store.EditedLineRow:
    return edit_store.EditedLineRow(
        *key,
        line=line.line,
        kind=line.kind,
        description=line.description,
        sku=line.sku,
        quantity=line.quantity,
        unit_price_minor=line.unit_price_minor,
        discount_minor=line.discount_minor,
        total_minor=line.total_minor,
        vat_rate=line.vat_rate,
        resource=line.resource,
        starts_at=line.starts_at,
        ends_at=line.ends_at,
        options=json.dumps(line.options, ensure_ascii=False) if line.options else None,
        reduced=line.reduced,
        unit_price_exact=line.unit_price_exact,
        tax_minor=line.tax_minor,
        taxes=taxes_json(line.taxes),
    )


def _head_row(key: OrderKey, content: Content) -> edit_store.HeadRow:
    customer = content.customer
    return edit_store.HeadRow(
        *key,
        total=content.totals.total_minor,
        name=customer.name,
        email=customer.email,
        phone=customer.phone,
    )
