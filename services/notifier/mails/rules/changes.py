"""Rules in one unit of work: those of the shops that a batch's commands name, new versions, and which mails are due."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from services.chassis.messaging.unit import Unit
from services.notifier.mails.mail import Mail
from services.notifier.mails.rules import store
from services.notifier.mails.rules.rule import DEFAULTS, Rules, is_due
from services.notifier.mails.rules.store import RuleRow


class RuleChanges:
    """The latest rules of the shops that commands change, and the new versions."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._known: dict[str, list[Rules]] = {}
        self._new: list[RuleRow] = []

    async def load(self, shops: Collection[str]) -> None:
        """Load the rules of these shops."""
        if shops:
            self._known = await store.read_rules(self._unit.connection, shops)

    def of(self, shop: str) -> list[Rules]:
        """Return all versions of the rules of a shop that a message names."""
        return self._known.get(shop, [])

    def latest(self, shop: str) -> Rules | None:
        """Return the active rules of a shop that a command names; None: the defaults."""
        return max(self._known.get(shop, ()), key=lambda one: one.version, default=None)

    def put(self, row: RuleRow) -> None:
        """Add a version."""
        self._known.setdefault(row.shop, []).append(store.rules_in(row))
        self._new.append(row)

    async def save(self) -> None:
        """Write the new versions."""
        await store.insert_rules(self._unit.writes, self._new)

    async def due(self, mails: Mapping[UUID, Mail], caused_at: Mapping[UUID, datetime]) -> dict[UUID, Mail]:
        """Return those of these mails that the rules let go, by the times of their causes."""
        shops = {mail.shop for mail in mails.values() if mail.template in DEFAULTS}
        rules = await store.read_rules(self._unit.connection, shops) if shops else {}
        return {
            key: mail
            for key, mail in mails.items()
            if is_due(mail.template, caused_at[key], rules.get(mail.shop, ()))
        }
