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
from tests.notifier.mail_server import MailServer, ServerBehaviour
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


class Harness:
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

    async def receive(self, raw: bytes, to: str | None = None) -> Outcome:
        """Hand a mail to the reader of bounces."""
        async with self.desk.hub.unit() as unit:
            return await read_bounce(unit, Inbound(uuid4(), to or self.bounce_address(), raw))

    def messages_of(self, kind: type[Any]) -> list[Any]:
        """The messages of a kind that were emitted."""
        return [message for _, message in self.desk.emitted() if isinstance(message, kind)]

    async def suppressed(self) -> Counter[str]:
        """Open suppressions by kind."""
        rows = await self.desk.fetch("SELECT kind FROM suppression WHERE lifted_at IS NULL")
        return Counter(row["kind"] for row in rows)


@pytest.fixture
async def harness(desks: Desks, mail_server: MailServer) -> Harness:
    desk, sender = await a_desk(desks, mail_server, inbound_domain=DOMAIN)
    return Harness(desk, sender, mail_server)


async def test_unknown_address_suppresses_the_next_mail_until_the_order_is_corrected(
    harness: Harness,
) -> None:
    order = an_order()
    await harness.desk.deliver(order)
    await harness.run()
    recap = await harness.desk.fetchval("SELECT id FROM mail WHERE template = 'order_recap'")
    outcome = await harness.receive(a_report(ZOE))
    assert isinstance(outcome, Bounce)
    assert await by_state(harness.desk) == {"done": 1, "bounced": 1}
    (bounced,) = harness.messages_of(MailBounced)
    assert [(mail.mail_id, mail.kind, mail.status) for mail in bounced.mails] == [(recap, "address", "5.1.1")]
    (suppressed,) = harness.messages_of(AddressSuppressed)
    held = _held()
    assert (suppressed.address, suppressed.kind, suppressed.until) == (ZOE, "address", None)

    await harness.desk.deliver(a_shipment(order.order_id))
    before = len(harness.server.envelopes)
    assert await harness.run() == {"done": 1, "bounced": 1, "suppressed": 1}
    assert _held() - held == 1, "counted as held, not as failed"
    assert len(harness.server.envelopes) == before
    (held,) = harness.messages_of(MailSuppressed)
    assert [(mail.template, mail.kind) for mail in held.mails] == [("shipment_dispatched", "address")]

    await harness.desk.deliver(an_edit(order))
    held_id = await harness.desk.fetchval("SELECT mail_id FROM mail_end WHERE state = 'suppressed'")
    await harness.desk.deliver(again(held_id))
    assert await harness.run() == {"done": 2, "bounced": 1}
    assert harness.server.envelopes[-1][1] == ["zoe@nouvelle.example"]


async def test_delay_is_a_note_and_its_failure_bounces_without_suppressing(harness: Harness) -> None:
    await harness.send()
    await harness.receive(
        a_report(ZOE, action="delayed", status="4.4.1", diagnostic="smtp; connect timed out")
    )
    assert await by_state(harness.desk) == {"done": 2}
    assert harness.messages_of(MailBounced) == []
    await harness.receive(a_report(ZOE, status="5.4.7", diagnostic="smtp; delivery time expired"))
    assert await by_state(harness.desk) == {"done": 1, "bounced": 1}
    assert await harness.suppressed() == {}
    assert await harness.desk.fetchval("SELECT count(*) FROM bounce") == 2


async def test_blocked_sender_suppresses_none_of_forty_customers_and_is_one_alarm(harness: Harness) -> None:
    customers = [f"c{number}@clients.example" for number in range(40)]
    for customer in customers:
        await harness.desk.deliver(an_order(customer={"name": "C", "email": customer}))
    await harness.run()
    for customer in customers:
        raw = a_report(customer, status="5.7.1", diagnostic="smtp; 550 5.7.1 blocked using Spamhaus")
        await harness.receive(raw, harness.bounce_address(customer))
    assert (await by_state(harness.desk))["bounced"] == 40
    assert await harness.suppressed() == {}
    (alarm,) = await harness.desk.fetch("SELECT shop, faults FROM reputation_alarm")
    assert tuple(alarm) == (SHOP, 40)


async def test_full_mailbox_is_suppressed_for_a_time_after_three_in_a_row(harness: Harness) -> None:
    for _ in range(3):
        assert await harness.suppressed() == {}
        await harness.send()
        await harness.receive(a_report(ZOE, status="5.2.2", diagnostic="smtp; 552 5.2.2 mailbox full"))
    assert await harness.suppressed() == {"full": 1}
    (event,) = harness.messages_of(AddressSuppressed)
    assert event.until is not None
    assert (event.until - event.since).days == 14
    await harness.desk.fetch("UPDATE suppression SET until = now() - interval '1 second'")
    await harness.send()
    assert harness.server.envelopes[-1][1] in ([ZOE], ["commandes@atelier.example"])
    assert (await by_state(harness.desk)).get("suppressed") is None


async def test_success_between_full_mailboxes_begins_the_count_again(harness: Harness) -> None:
    for number in range(3):
        await harness.send()
        if number == 1:
            await harness.send()
            continue
        await harness.receive(a_report(ZOE, status="5.2.2", diagnostic="smtp; 552 5.2.2 mailbox full"))
    await harness.send()
    await harness.receive(a_report(ZOE, status="5.2.2", diagnostic="smtp; 552 5.2.2 mailbox full"))
    assert await harness.suppressed() == {}


async def test_the_envelopes_token_finds_the_mail_and_not_the_header(harness: Harness) -> None:
    await harness.send()
    assert b"To:" not in a_report(ZOE).split(b"--A")[0]
    assert isinstance(await harness.receive(a_report(ZOE), harness.bounce_address().upper()), Bounce)


@pytest.mark.parametrize("raw", [a_report("paul@clients.example"), a_report(ZOE, "paul@clients.example"),
                                 an_exim_bounce("paul@clients.example")])  # fmt: skip
async def test_report_on_another_recipient_is_parked_and_counts_for_none(
    harness: Harness, raw: bytes
) -> None:
    await harness.send()
    assert await harness.receive(raw) == Parked("bounce_of_another_recipient")
    assert await by_state(harness.desk) == {"done": 2}
    assert await harness.suppressed() == {}


async def test_report_at_an_unknown_address_is_parked(harness: Harness) -> None:
    assert await harness.receive(a_report(ZOE), f"{PREFIX}{new_token()}@{DOMAIN}") == Parked(
        "bounce_token_unknown"
    )


async def test_uncertain_mail_that_came_back_had_gone(harness: Harness) -> None:
    harness.server.will("DATA", ServerBehaviour.KEEP_AND_DROP, ServerBehaviour.KEEP_AND_DROP)
    await harness.send()
    await harness.receive(a_report(ZOE))
    assert await by_state(harness.desk) == {"uncertain": 1, "bounced": 1}
    rows = await harness.desk.fetch("SELECT effect_state FROM mail_with_state WHERE state = 'bounced'")
    assert [row["effect_state"] for row in rows] == ["done"]


async def test_report_before_the_outcome_is_recorded(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other server was faster than our own transaction."""
    await harness.desk.deliver(an_order())
    original = harness.sender.effects._settling.settle

    async def receive_first(*arguments: Any) -> Any:
        if not await harness.desk.fetchval("SELECT count(*) FROM bounce"):
            await harness.receive(a_report(ZOE))
        return await original(*arguments)

    monkeypatch.setattr(harness.sender.effects._settling, "settle", receive_first)
    assert await harness.run() == {"done": 1, "bounced": 1}
    (bounced,) = harness.messages_of(MailBounced)
    assert [mail.template for mail in bounced.mails] == ["order_recap"]


async def test_the_same_report_twice_is_one_fact(harness: Harness) -> None:
    await harness.send()
    for _ in range(2):
        assert isinstance(await harness.receive(a_report(ZOE)), Bounce)
    assert await harness.desk.fetchval("SELECT count(*) FROM bounce") == 1
    assert len(harness.messages_of(MailBounced)) == len(harness.messages_of(AddressSuppressed)) == 1


async def test_bounce_of_exim_as_text_counts(harness: Harness) -> None:
    await harness.send()
    assert isinstance(await harness.receive(an_exim_bounce(ZOE)), Bounce)
    assert await harness.suppressed() == {"address": 1}


async def test_success_report_is_a_note(harness: Harness) -> None:
    await harness.send()
    await harness.receive(a_report(ZOE, action="relayed", status="2.0.0", diagnostic="smtp; 250 ok"))
    assert await by_state(harness.desk) == {"done": 2}
    assert await harness.desk.fetchval("SELECT kind FROM bounce") == "receipt"


async def test_person_who_answers_the_bounce_address_is_filed_in_the_thread(harness: Harness) -> None:
    order_id = await harness.send()
    outcome = await harness.receive(an_answer())
    assert isinstance(outcome, NoReport)
    assert (outcome.mail.shop, outcome.mail.order_id) == (SHOP, order_id)
    assert await harness.desk.fetchval("SELECT count(*) FROM bounce") == 0


async def test_late_report_on_the_old_address_does_not_touch_the_mail_sent_again(harness: Harness) -> None:
    order = an_order()
    await harness.desk.deliver(order)
    await harness.run()
    old = harness.bounce_address()
    await harness.desk.deliver(an_edit(order))
    await harness.desk.deliver(
        again(await harness.desk.fetchval("SELECT id FROM mail WHERE template = 'order_recap'"))
    )
    await harness.run()
    assert isinstance(await harness.receive(a_report(ZOE), old), Bounce)
    assert await by_state(harness.desk) == {"done": 2}
    assert await harness.suppressed() == {"address": 1}


async def test_reader_who_complained_gets_the_necessary_mails_only(harness: Harness) -> None:
    order_id = await harness.send()
    assert isinstance(await harness.receive(a_complaint()), Bounce)
    assert await by_state(harness.desk) == {"done": 2}
    await harness.desk.deliver(a_status(order_id))
    await harness.desk.deliver(a_shipment(order_id))
    assert await harness.run() == {"done": 3, "suppressed": 1}
    assert await harness.desk.fetchval("SELECT template FROM mail_with_state WHERE state = 'suppressed'") == (
        "status_updated"
    )


async def test_refusal_by_our_own_server_is_the_same_fact(harness: Harness) -> None:
    harness.server.will("RCPT", *["550 5.1.1 no such mailbox"] * 2)
    order_id = await harness.send()
    assert await by_state(harness.desk) == {"bounced": 2}
    assert await harness.suppressed() == {"address": 2}
    await harness.desk.deliver(a_shipment(order_id))
    assert await harness.run() == {"bounced": 2, "suppressed": 1}
    assert harness.server.envelopes == []


async def test_person_suppresses_and_lifts(harness: Harness) -> None:
    request = SuppressAddress(shop=SHOP, address="Zoe@Clients.example", reason="she asked", actor="lea")
    first = await harness.desk.deliver(request)
    (event,) = first.messages_of(AddressSuppressed)
    assert (event.address, event.kind, event.actor) == (ZOE, "manual", "lea")
    assert (await harness.desk.deliver(request)).messages_of(CommandDone)
    order_id = await harness.send()
    assert await by_state(harness.desk) == {"done": 1, "suppressed": 1}
    lift = LiftSuppression(shop=SHOP, address=ZOE, reason="she asked again", actor="lea")
    (lifted,) = (await harness.desk.deliver(lift)).messages_of(SuppressionLifted)
    assert lifted.order_ids == [order_id]
    assert (await harness.desk.deliver(lift)).messages_of(CommandDone)
    assert await by_state(harness.desk) == {"done": 1, "suppressed": 1}
    held = await harness.desk.fetchval("SELECT mail_id FROM mail_end")
    await harness.desk.deliver(again(held))
    assert await harness.run() == {"done": 2}


async def test_an_address_that_is_none_is_rejected(harness: Harness) -> None:
    request = SuppressAddress(shop=SHOP, address="a,b@c@d", reason="r", actor="lea")
    (refused,) = (await harness.desk.deliver(request)).messages_of(CommandRejected)
    assert refused.reasons[0].code == "address_invalid"


async def test_another_shop_still_writes_to_the_address(harness: Harness) -> None:
    await harness.desk.deliver(SuppressAddress(shop="elsewhere", address=ZOE, reason="r", actor="lea"))
    await harness.send()
    assert await by_state(harness.desk) == {"done": 2}


def _held() -> float:
    labels = {"service": "notifier", "kind": "mail", "outcome": "held"}
    return REGISTRY.get_sample_value("comptoir_effects_total", labels) or 0.0
