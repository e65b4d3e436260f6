"""The command that switches a shop's mails; it ends with the change, with nothing to change, or a rejection."""

import json

from contracts.message import Reason
from contracts.notifier.mail_rules import ChangeMailRules, MailRulesChanged
from contracts.service import CommandDone, CommandRejected
from services.chassis.messaging.subscribers import ReceivedMessage
from services.notifier.mails.mail import Template
from services.notifier.mails.rules.rule import (
    ABANDONED_AFTER_MINUTES,
    DEFAULTS,
    EXPLAINED,
    FIXED,
    Rules,
    switches_of,
)
from services.notifier.mails.rules.store import RuleRow
from services.notifier.mails.settings import ShopUnknown
from services.notifier.mails.unit import MailUnit


def change_mail_rules(work: MailUnit, received: ReceivedMessage[ChangeMailRules]) -> None:
    """Keep a new version of the shop's switches, or answer with every reason against it.

    Idempotent: switches that are in these positions already need no change.
    """
    command, known = received.message, work.rules.latest(received.message.shop)
    minutes = known.abandoned_after_minutes if known else ABANDONED_AFTER_MINUTES
    reasons, before = _reasons(work, command), switches_of(known)
    after = before | command.switches
    if not reasons and (after, command.abandoned_after_minutes) == (before, minutes):
        _emit_done(work, received)
        return
    if reasons := [*reasons, *_stale(command.based_on_version, known)]:
        _reject(work, received, reasons)
        return
    now, version = work.unit.now, work.unit.restored.next_version(command.based_on_version)
    row = RuleRow(
        shop=command.shop,
        version=version,
        switches=json.dumps(after),
        abandoned_after_minutes=command.abandoned_after_minutes,
        changed_by=command.actor,
        changed_at=now,
    )
    work.rules.put(row)
    changed = MailRulesChanged(
        shop=command.shop,
        version=version,
        switches=after,
        abandoned_after_minutes=command.abandoned_after_minutes,
        changed_by=command.actor,
        changed_at=now,
    )
    work.unit.emit(changed, cause=received.envelope)


def _reasons(work: MailUnit, command: ChangeMailRules) -> list[Reason]:
    reasons = []
    try:
        work.shop(command.shop)
    except ShopUnknown as unknown:
        reasons.append(Reason(code="unknown_shop", message=str(unknown), field="shop"))
    fixed, switched = {one.value for one in FIXED}, {one.value for one in DEFAULTS}
    for name in sorted(command.switches):
        if name in fixed:
            text = f"the mail {name} has no switch, since {EXPLAINED[FIXED[Template(name)]]}; leave it out"
            reasons.append(Reason(code="mail_required", message=text, field=f"switches.{name}"))
        elif name not in switched:
            text = f"no mail is called {name!r}; choose one of {', '.join(sorted(switched))}"
            reasons.append(Reason(code="template_unknown", message=text[:900], field="switches"))
    return reasons


def _stale(based_on: int, known: Rules | None) -> list[Reason]:
    version = known.version if known else 0
    if based_on == version:
        return []
    text = f"the rules have version {version}, not {based_on}; read them again and repeat the change"
    return [Reason(code="version_differs", message=text, field="based_on_version")]


def _reject(work: MailUnit, received: ReceivedMessage[ChangeMailRules], reasons: list[Reason]) -> None:
    rejected = CommandRejected(
        shop=received.message.shop,
        command_id=received.envelope.id,
        command_type=received.envelope.type,
        reasons=reasons,
    )
    work.unit.emit(rejected, cause=received.envelope)


def _emit_done(work: MailUnit, received: ReceivedMessage[ChangeMailRules]) -> None:
    shop, envelope = received.message.shop, received.envelope
    done = CommandDone(shop=shop, command_id=envelope.id, command_type=envelope.type)
    work.unit.emit(done, cause=envelope)
