"""What became of mails, one row a mail, whatever arrives first."""

import json
import random
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from contracts.envelope import uuid7
from contracts.notifier.mails import MailFailed, MailSent, MailUncertain, MailWithdrawn, WithdrawnMail
from services.orders.backoffice.home.store import read_mail_problems
from services.orders.projections.mailing import rank
from tests.builders.submissions import NOW
from tests.conftest import Desks
from tests.orders.builders import Life, a_life

reports = st.tuples(
    st.sampled_from(["sent", "failed", "uncertain", "bounced", "suppressed", "withdrawn"]),
    st.integers(0, 5).map(lambda minutes: NOW + timedelta(minutes=minutes)),
)


@given(st.lists(reports, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_the_report_that_counts_does_not_depend_on_arrival(
    received: list[Any], shuffler: random.Random
) -> None:
    shuffled = received * 2
    shuffler.shuffle(shuffled)
    highest = max(rank(*report) for report in received)
    assert max(rank(*report) for report in shuffled) == highest
    assert highest[0] == max(at for _, at in received)


async def test_two_mails_in_one_message(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    await desk.deliver(life.mailed("recap", "new_order"))
    rows = await desk.fetch("SELECT template, state, detail FROM mail ORDER BY template")
    assert [tuple(row) for row in rows] == [("new_order", "sent", "250 ok"), ("recap", "sent", "250 ok")]
    assert await desk.fetchval("SELECT count(*) FROM activity WHERE kind = 'mail_sent'") == 2


async def test_a_mail_of_an_unknown_order_holds_nothing_back(desks: Desks) -> None:
    desk = await desks("orders")
    life, stranger = await a_life(desk), Life(uuid7(), "K7F3-QD9M", 100, [1])
    reports = [life.report("recap"), stranger.report("recap"), stranger.report("stock_low", order_id=None)]
    outcome = await desk.deliver(MailSent(mails=reports))
    assert outcome.result == "handled"
    assert await desk.fetchval("SELECT count(*) FROM mail") == 3


async def test_the_latest_report_counts(desks: Desks) -> None:
    desk = await desks("orders")
    life, mail_id = await a_life(desk), uuid7()
    at = [NOW + timedelta(minutes=minutes) for minutes in range(4)]

    async def wait_for_outcome(
        kind: type[MailSent | MailFailed | MailUncertain], minute: int, which: UUID
    ) -> None:
        await desk.deliver(kind(mails=[life.report("recap", mail_id=which, at=at[minute])]))

    await wait_for_outcome(MailFailed, 2, mail_id)
    await wait_for_outcome(MailUncertain, 1, mail_id)
    assert await desk.fetchval("SELECT state FROM mail") == "failed"
    await wait_for_outcome(MailSent, 3, mail_id)
    await wait_for_outcome(MailUncertain, 0, mail_id)
    (row,) = await desk.fetch("SELECT state, at FROM mail")
    assert tuple(row) == ("sent", at[3])


async def test_a_mail_that_was_sent_again_has_the_corrected_address(desks: Desks) -> None:
    desk = await desks("orders")
    life, mail_id = await a_life(desk), uuid7()
    for minute, kind, recipient in (
        (0, MailFailed, "misspelt@example.org"),
        (1, MailSent, "right@example.org"),
    ):
        at = NOW + timedelta(minutes=minute)
        await desk.deliver(kind(mails=[life.report("recap", mail_id=mail_id, at=at, recipient=recipient)]))
    assert await desk.fetchval("SELECT recipient FROM mail") == "right@example.org"


async def test_a_withdrawn_mail_is_not_a_problem(desks: Desks) -> None:
    desk = await desks("orders")
    life = await a_life(desk)
    report = dict(life.report("checkout_abandoned", detail="the order was placed"))
    await desk.deliver(MailWithdrawn(mails=[WithdrawnMail.model_validate({**report, "kind": "placed"})]))
    assert await desk.fetchval("SELECT state FROM mail") == "withdrawn"
    (noted,) = await desk.fetch("SELECT data FROM activity WHERE kind = 'mail_withdrawn'")
    assert json.loads(noted["data"])["kind"] == "placed"
    assert await read_mail_problems(desk.hub.pool, life.shop) == {}
    await desk.deliver(MailFailed(mails=[life.report("order_recap")]))
    assert await read_mail_problems(desk.hub.pool, life.shop) == {"failed": 1}


async def test_the_same_mail_twice_in_one_message(desks: Desks) -> None:
    desk = await desks("orders")
    life, mail_id = await a_life(desk), uuid7()
    twice = [life.report("recap", mail_id=mail_id, at=NOW + timedelta(minutes=minute)) for minute in (1, 0)]
    await desk.deliver(MailUncertain(mails=twice))
    (row,) = await desk.fetch("SELECT at FROM mail")
    assert row["at"] == NOW + timedelta(minutes=1)
