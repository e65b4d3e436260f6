"""Reports on mails that were sent, on a real PostgreSQL and a real SMTP server: what follows for mail and address."""

from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from prometheus_client import REGISTRY

from contracts.notifier.bounces import (
    AddressSuppressed,
    LiftSuppression,
    MailBounced,
    MailSuppressed,
    SuppressAddress,
    SuppressionLifted,
)
from contracts.service import CommandDone, CommandRejected
from services.chassis.testing import Desk
from services.notifier.sending.bounces.addresses import PREFIX, new_token
from services.notifier.sending.bounces.receiving import Bounce, NoReport, Outcome, Parked, read_bounce
from services.notifier.sending.sending import Sender
from tests.conftest import Desks
from tests.notifier.builders import SHOP, a_shipment, a_status, an_edit, an_order
from tests.notifier.mail_server import MailServer, Mood
from tests.notifier.mails.test_resending import again
from tests.notifier.sending.bounces.letters import a_complaint, a_report, an_answer, an_exim_bounce
from tests.notifier.sending.test_bounce_addresses import DOMAIN
from tests.notifier.sending.test_sending import a_desk, by_state, send_until, settled

ZOE = "zoe@clients.example"


@dataclass(frozen=True)
class Inbound:
    """A mail at a bounce address."""

    inbound_id: UUID
    envelope_to: str
    raw: bytes


class Stage:
    """A desk that sends to a real server, and a door for reports."""

    def __init__(self, desk: Desk, sender: Sender, server: MailServer) -> None:
        self.desk, self.sender, self.server = desk, sender, server

    async def send(self, **changes: Any) -> UUID:
        """Place an order and send its mails; its id."""
        order = an_order(code=f"K{len(self.server.envelopes):03}-TEST", **changes)
        await self.desk.deliver(order)
        await self.run()
        return order.order_id

    async def run(self) -> dict[str, int]:
        """Send what is due; the mails by state."""
        return await send_until(self.desk, self.sender, settled)

    def bounce_address(self, recipient: str = ZOE) -> str:
        """The envelope sender of the last mail to a recipient."""
        return next(sender for sender, to in reversed(self.server.envelopes) if to == [recipient])

    async def hear(self, raw: bytes, to: str | None = None) -> Outcome:
        """Hand a mail to the reader of bounces."""
        async with self.desk.hub.unit() as unit:
            return await read_bounce(unit, Inbound(uuid4(), to or self.bounce_address(), raw))

    def told(self, kind: type[Any]) -> list[Any]:
        """The messages of a kind that were emitted."""
        return [message for _, message in self.desk.emitted() if isinstance(message, kind)]

    async def suppressed(self) -> Counter[str]:
        """Open suppressions by kind."""
        rows = await self.desk.fetch("SELECT kind FROM suppression WHERE lifted_at IS NULL")
        return Counter(row["kind"] for row in rows)


@pytest.fixture
async def stage(desks: Desks, mail_server: MailServer) -> Stage:
    desk, sender = await a_desk(desks, mail_server, inbound_domain=DOMAIN)
    return Stage(desk, sender, mail_server)


async def test_unknown_address_suppresses_the_next_mail_until_the_order_is_corrected(stage: Stage) -> None:
    order = an_order()
    await stage.desk.deliver(order)
    await stage.run()
    recap = await stage.desk.fetchval("SELECT id FROM mail WHERE template = 'order_recap'")
    outcome = await stage.hear(a_report(ZOE))
    assert isinstance(outcome, Bounce)
    assert await by_state(stage.desk) == {"done": 1, "bounced": 1}
    (bounced,) = stage.told(MailBounced)
    assert [(mail.mail_id, mail.kind, mail.status) for mail in bounced.mails] == [(recap, "address", "5.1.1")]
    (suppressed,) = stage.told(AddressSuppressed)
    held = _held()
    assert (suppressed.address, suppressed.kind, suppressed.until) == (ZOE, "address", None)

    await stage.desk.deliver(a_shipment(order.order_id))
    before = len(stage.server.envelopes)
    assert await stage.run() == {"done": 1, "bounced": 1, "suppressed": 1}
    assert _held() - held == 1, "counted as held, not as failed"
    assert len(stage.server.envelopes) == before
    (held,) = stage.told(MailSuppressed)
    assert [(mail.template, mail.kind) for mail in held.mails] == [("shipment_dispatched", "address")]

    await stage.desk.deliver(an_edit(order))
    held_id = await stage.desk.fetchval("SELECT mail_id FROM mail_end WHERE state = 'suppressed'")
    await stage.desk.deliver(again(held_id))
    assert await stage.run() == {"done": 2, "bounced": 1}
    assert stage.server.envelopes[-1][1] == ["zoe@nouvelle.example"]


async def test_delay_is_a_note_and_its_failure_bounces_without_suppressing(stage: Stage) -> None:
    await stage.send()
    await stage.hear(a_report(ZOE, action="delayed", status="4.4.1", diagnostic="smtp; connect timed out"))
    assert await by_state(stage.desk) == {"done": 2}
    assert stage.told(MailBounced) == []
    await stage.hear(a_report(ZOE, status="5.4.7", diagnostic="smtp; delivery time expired"))
    assert await by_state(stage.desk) == {"done": 1, "bounced": 1}
    assert await stage.suppressed() == {}
    assert await stage.desk.fetchval("SELECT count(*) FROM bounce") == 2


async def test_blocked_sender_suppresses_none_of_forty_customers_and_is_one_alarm(stage: Stage) -> None:
    customers = [f"c{number}@clients.example" for number in range(40)]
    for customer in customers:
        await stage.desk.deliver(an_order(customer={"name": "C", "email": customer}))
    await stage.run()
    for customer in customers:
        raw = a_report(customer, status="5.7.1", diagnostic="smtp; 550 5.7.1 blocked using Spamhaus")
        await stage.hear(raw, stage.bounce_address(customer))
    assert (await by_state(stage.desk))["bounced"] == 40
    assert await stage.suppressed() == {}
    (alarm,) = await stage.desk.fetch("SELECT shop, faults FROM reputation_alarm")
    assert tuple(alarm) == (SHOP, 40)


async def test_full_mailbox_is_suppressed_for_a_time_after_three_in_a_row(stage: Stage) -> None:
    for _ in range(3):
        assert await stage.suppressed() == {}
        await stage.send()
        await stage.hear(a_report(ZOE, status="5.2.2", diagnostic="smtp; 552 5.2.2 mailbox full"))
    assert await stage.suppressed() == {"full": 1}
    (told,) = stage.told(AddressSuppressed)
    assert told.until is not None
    assert (told.until - told.since).days == 14
    await stage.desk.fetch("UPDATE suppression SET until = now() - interval '1 second'")
    await stage.send()
    assert stage.server.envelopes[-1][1] in ([ZOE], ["commandes@atelier.example"])
    assert (await by_state(stage.desk)).get("suppressed") is None


async def test_success_between_full_mailboxes_begins_the_count_again(stage: Stage) -> None:
    for number in range(3):
        await stage.send()
        if number == 1:
            await stage.send()
            continue
        await stage.hear(a_report(ZOE, status="5.2.2", diagnostic="smtp; 552 5.2.2 mailbox full"))
    await stage.send()
    await stage.hear(a_report(ZOE, status="5.2.2", diagnostic="smtp; 552 5.2.2 mailbox full"))
    assert await stage.suppressed() == {}


async def test_the_envelopes_token_finds_the_mail_and_not_the_header(stage: Stage) -> None:
    await stage.send()
    assert b"To:" not in a_report(ZOE).split(b"--A")[0]
    assert isinstance(await stage.hear(a_report(ZOE), stage.bounce_address().upper()), Bounce)


@pytest.mark.parametrize("raw", [a_report("paul@clients.example"), a_report(ZOE, "paul@clients.example"),
                                 an_exim_bounce("paul@clients.example")])  # fmt: skip
async def test_report_on_another_recipient_is_parked_and_counts_for_none(stage: Stage, raw: bytes) -> None:
    await stage.send()
    assert await stage.hear(raw) == Parked("bounce_of_another_recipient")
    assert await by_state(stage.desk) == {"done": 2}
    assert await stage.suppressed() == {}


async def test_report_at_an_unknown_address_is_parked(stage: Stage) -> None:
    assert await stage.hear(a_report(ZOE), f"{PREFIX}{new_token()}@{DOMAIN}") == Parked(
        "bounce_token_unknown"
    )


async def test_uncertain_mail_that_came_back_had_gone(stage: Stage) -> None:
    stage.server.will("DATA", Mood.KEEP_AND_DROP, Mood.KEEP_AND_DROP)
    await stage.send()
    await stage.hear(a_report(ZOE))
    assert await by_state(stage.desk) == {"uncertain": 1, "bounced": 1}
    rows = await stage.desk.fetch("SELECT effect_state FROM mail_with_state WHERE state = 'bounced'")
    assert [row["effect_state"] for row in rows] == ["done"]


async def test_report_before_the_outcome_is_recorded(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other server was faster than our own transaction."""
    await stage.desk.deliver(an_order())
    original = stage.sender.effects._settling.settle

    async def hear_first(*arguments: Any) -> Any:
        if not await stage.desk.fetchval("SELECT count(*) FROM bounce"):
            await stage.hear(a_report(ZOE))
        return await original(*arguments)

    monkeypatch.setattr(stage.sender.effects._settling, "settle", hear_first)
    assert await stage.run() == {"done": 1, "bounced": 1}
    (bounced,) = stage.told(MailBounced)
    assert [mail.template for mail in bounced.mails] == ["order_recap"]


async def test_the_same_report_twice_is_one_fact(stage: Stage) -> None:
    await stage.send()
    for _ in range(2):
        assert isinstance(await stage.hear(a_report(ZOE)), Bounce)
    assert await stage.desk.fetchval("SELECT count(*) FROM bounce") == 1
    assert len(stage.told(MailBounced)) == len(stage.told(AddressSuppressed)) == 1


async def test_bounce_of_exim_as_text_counts(stage: Stage) -> None:
    await stage.send()
    assert isinstance(await stage.hear(an_exim_bounce(ZOE)), Bounce)
    assert await stage.suppressed() == {"address": 1}


async def test_success_report_is_a_note(stage: Stage) -> None:
    await stage.send()
    await stage.hear(a_report(ZOE, action="relayed", status="2.0.0", diagnostic="smtp; 250 ok"))
    assert await by_state(stage.desk) == {"done": 2}
    assert await stage.desk.fetchval("SELECT kind FROM bounce") == "receipt"


async def test_person_who_answers_the_bounce_address_is_filed_in_the_thread(stage: Stage) -> None:
    order_id = await stage.send()
    outcome = await stage.hear(an_answer())
    assert isinstance(outcome, NoReport)
    assert (outcome.mail.shop, outcome.mail.order_id) == (SHOP, order_id)
    assert await stage.desk.fetchval("SELECT count(*) FROM bounce") == 0


async def test_late_report_on_the_old_address_does_not_touch_the_mail_sent_again(stage: Stage) -> None:
    order = an_order()
    await stage.desk.deliver(order)
    await stage.run()
    old = stage.bounce_address()
    await stage.desk.deliver(an_edit(order))
    await stage.desk.deliver(
        again(await stage.desk.fetchval("SELECT id FROM mail WHERE template = 'order_recap'"))
    )
    await stage.run()
    assert isinstance(await stage.hear(a_report(ZOE), old), Bounce)
    assert await by_state(stage.desk) == {"done": 2}
    assert await stage.suppressed() == {"address": 1}


async def test_reader_who_complained_gets_the_necessary_mails_only(stage: Stage) -> None:
    order_id = await stage.send()
    assert isinstance(await stage.hear(a_complaint()), Bounce)
    assert await by_state(stage.desk) == {"done": 2}
    await stage.desk.deliver(a_status(order_id))
    await stage.desk.deliver(a_shipment(order_id))
    assert await stage.run() == {"done": 3, "suppressed": 1}
    assert await stage.desk.fetchval("SELECT template FROM mail_with_state WHERE state = 'suppressed'") == (
        "status_updated"
    )


async def test_refusal_by_our_own_server_is_the_same_fact(stage: Stage) -> None:
    stage.server.will("RCPT", *["550 5.1.1 no such mailbox"] * 2)
    order_id = await stage.send()
    assert await by_state(stage.desk) == {"bounced": 2}
    assert await stage.suppressed() == {"address": 2}
    await stage.desk.deliver(a_shipment(order_id))
    assert await stage.run() == {"bounced": 2, "suppressed": 1}
    assert stage.server.envelopes == []


async def test_person_suppresses_and_lifts(stage: Stage) -> None:
    asked = SuppressAddress(shop=SHOP, address="Zoe@Clients.example", reason="she asked", actor="lea")
    first = await stage.desk.deliver(asked)
    (told,) = first.said(AddressSuppressed)
    assert (told.address, told.kind, told.actor) == (ZOE, "manual", "lea")
    assert (await stage.desk.deliver(asked)).said(CommandDone)
    order_id = await stage.send()
    assert await by_state(stage.desk) == {"done": 1, "suppressed": 1}
    lift = LiftSuppression(shop=SHOP, address=ZOE, reason="she asked again", actor="lea")
    (lifted,) = (await stage.desk.deliver(lift)).said(SuppressionLifted)
    assert lifted.order_ids == [order_id]
    assert (await stage.desk.deliver(lift)).said(CommandDone)
    assert await by_state(stage.desk) == {"done": 1, "suppressed": 1}
    held = await stage.desk.fetchval("SELECT mail_id FROM mail_end")
    await stage.desk.deliver(again(held))
    assert await stage.run() == {"done": 2}


async def test_an_address_that_is_none_is_rejected(stage: Stage) -> None:
    asked = SuppressAddress(shop=SHOP, address="a,b@c@d", reason="r", actor="lea")
    (refused,) = (await stage.desk.deliver(asked)).said(CommandRejected)
    assert refused.reasons[0].code == "address_invalid"


async def test_another_shop_still_writes_to_the_address(stage: Stage) -> None:
    await stage.desk.deliver(SuppressAddress(shop="elsewhere", address=ZOE, reason="r", actor="lea"))
    await stage.send()
    assert await by_state(stage.desk) == {"done": 2}


def _held() -> float:
    labels = {"service": "notifier", "kind": "mail", "outcome": "held"}
    return REGISTRY.get_sample_value("comptoir_effects_total", labels) or 0.0
