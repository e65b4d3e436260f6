"""Sales, requests for invoices and invoicing settings that one transaction changes.

A request is kept with the envelope of its command until the invoice is issued: whatever ends it, an invoice or a
reason against one, answers the command.
"""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from contracts.envelope import Envelope
from contracts.message import Reason
from contracts.service import CommandRejected
from services.chassis.messaging.unit import Unit
from services.payments.accounts.account import Account
from services.payments.accounts.unit import invoicing_store, sale_store
from services.payments.accounts.unit.invoicing_store import Invoicing
from services.payments.accounts.unit.needs import AccountNeeds

Key = tuple[str, UUID]
_OFF = "invoices were switched off for the shop; switch them on in its settings, then request it again"
_DELETED = "the order was deleted before its invoice was issued; there is nothing to invoice any more"

_ENVELOPE = TypeAdapter(Envelope)


def wish_of(envelope: Envelope, reason: str, actor: str) -> str:
    """Return a request as JSON."""
    cause = _ENVELOPE.dump_python(envelope, mode="json", exclude_none=True)
    return json.dumps({"reason": reason, "actor": actor, "cause": cause}, ensure_ascii=False)


def cause_of(wish: dict[str, Any]) -> Envelope:
    """Return the envelope of the command that made a request."""
    return _ENVELOPE.validate_python(wish["cause"])


def rejection(shop: str, order_id: UUID, wish: str, reason: Reason) -> tuple[CommandRejected, Envelope]:
    """Return the answer to a request, stored as JSON, that ends without an invoice; and what it answers."""
    cause = cause_of(json.loads(wish))
    answer = CommandRejected(
        shop=shop, order_id=order_id, command_id=cause.id, command_type=cause.type, reasons=[reason]
    )
    return answer, cause


class SaleChanges:
    """What one transaction changes about sales and invoicing."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._sales: list[sale_store.SaleRow] = []
        self._edits: list[sale_store.EditRow] = []
        self._wishes: list[sale_store.WishRow] = []
        self._invoicing_changed: dict[str, tuple[Invoicing, Sequence[str]]] = {}
        self._invoiced_since: dict[str, datetime] = {}
        self._logos: dict[str, bytes] = {}
        self.invoicing: dict[str, Invoicing] = {}
        """The invoicing settings of the shops that commands name; locked."""
        self.unreadable: set[str] = set()
        """Those of these shops whose settings can't be read, such as a newer version's."""
        self.prefixes: dict[str, set[tuple[str, str]]] = {}
        """The kinds of documents that these shops issued, with the prefixes of their numbers."""
        self.askable: dict[Key, tuple[bool, bool]] = {}
        """Sales that commands name: whether each is kept, and whether its invoice is asked for already."""

    async def load(self, needs: AccountNeeds) -> None:
        """Lock and load the invoicing settings and sales that commands name."""
        connection = self._unit.connection
        if needs.invoicing:
            shops = sorted(needs.invoicing)
            self.invoicing, self.unreadable = await invoicing_store.lock_invoicing(connection, shops)
            self.prefixes = await invoicing_store.read_prefixes(connection, shops)
        if needs.sales:
            self.askable = await sale_store.read_askable(connection, sorted(needs.sales))

    def keep(self, account: Account, content: str) -> None:
        """Add what invoices will need of a new account's order, as JSON."""
        self._sales.append(sale_store.SaleRow(account.shop, account.id, account.opened_at, content))

    def edit(self, account: Account, revision: int, edit: str, cancelled: str) -> None:
        """Add what an edit changes about the sale, and the units it cancelled by its id, both as JSON."""
        self._edits.append(sale_store.EditRow(account.shop, account.id, revision, edit, cancelled))

    def ask_invoice(self, account: Account, wish: str) -> None:
        """Record that staff requested the order's invoice."""
        self.askable[account.shop, account.id] = (True, True)
        self._wishes.append(sale_store.WishRow(account.shop, account.id, wish))

    def change_invoicing(self, changed: Invoicing, missing: Sequence[str], logo: bytes | None) -> None:
        """Replace a shop's invoicing settings, of which these mentions are missing; an earlier first day, or another
        time of issue, has orders looked at again.
        """
        known = self.invoicing.get(changed.shop)
        if known is not None and changed.since:
            is_earlier = known.since is not None and changed.since < known.since
            if is_earlier or changed.settings.issue_at is not known.settings.issue_at:
                self._invoiced_since[changed.shop] = changed.since
        self.invoicing[changed.shop] = changed
        self._invoicing_changed[changed.shop] = (changed, missing)
        if logo is not None and changed.logo is not None:
            self._logos[changed.logo] = logo

    async def save(self, moved: Sequence[Key], closed: Sequence[Key]) -> None:
        """Write what invoices need. The orders whose money `moved` are looked at again for documents to issue; the
        sales of `closed` accounts are erased.
        """
        writes = self._unit.writes
        await sale_store.insert_sales(writes, self._sales)
        await sale_store.update_sales(writes, self._edits)
        await sale_store.store_wishes(writes, self._wishes)
        await sale_store.mark_due(writes, moved)
        await sale_store.erase_sales(writes, closed)
        for sha256, logo in self._logos.items():
            await invoicing_store.write_logo(writes, sha256, logo)
        for shop, since in self._invoiced_since.items():
            await sale_store.mark_placed_since(writes, shop, since)
        for one, missing in self._invoicing_changed.values():
            await invoicing_store.write_invoicing(writes, one, missing)

    async def answer_wishes(self, closed: Collection[Key]) -> None:
        """Answer the requests for invoices that will never be issued: the order is deleted, or invoicing is off."""
        off = [shop for shop, (one, _) in self._invoicing_changed.items() if not one.settings.is_on]
        if not closed and not off:
            return
        stored = await sale_store.take_wishes(self._unit.connection, sorted(closed), off)
        ended = [one for one in self._wishes if one.shop in off or (one.shop, one.order_id) in closed]
        self._wishes = [one for one in self._wishes if one not in ended]
        for shop, order_id, wish in [*stored, *ended]:
            code, text = (
                ("order_deleted", _DELETED) if (shop, order_id) in closed else ("invoicing_off", _OFF)
            )
            answer, cause = rejection(shop, order_id, wish, Reason(code=code, message=text))
            self._unit.emit(answer, cause=cause)
