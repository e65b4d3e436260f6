"""A run of failures puts the brake on; one mail that is sent takes it off."""

from datetime import timedelta

import pytest

from contracts.notifier.bounces import SuppressAddress
from contracts.notifier.mails import MailFailed
from services.chassis.background.effects import Done, Failed, Outcome, Retry, Uncertain
from services.notifier.sending.braking import FIRST_PAUSE, LONGEST_PAUSE, MOST_IN_A_ROW, Brake
from tests.conftest import Desks
from tests.notifier.builders import SHOP, an_order
from tests.notifier.mail_server import MailServer
from tests.notifier.sending.test_sending import a_desk, by_state, reports


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("end", [Failed("550"), Uncertain("no answer")])
def test_a_run_puts_it_on_and_pauses_grow(end: Outcome) -> None:
    clock = Clock()
    brake = Brake(clock)
    for _ in range(MOST_IN_A_ROW):
        assert brake.wait() is None
        brake.note(end)
    assert brake.wait() == FIRST_PAUSE
    pauses = []
    for _ in range(8):
        clock.now += LONGEST_PAUSE.total_seconds()
        assert brake.wait() is None, "one may try"
        assert brake.wait() is not None, "and only one"
        brake.note(end)
        pauses.append(brake.wait())
    assert pauses == sorted(pauses, key=lambda pause: pause or timedelta())
    assert (pauses[0], pauses[-1]) == (FIRST_PAUSE * 2, LONGEST_PAUSE)
    brake.note(Done())
    assert brake.wait() is None


def test_what_is_tried_again_anyway_neither_counts_nor_ends_a_run() -> None:
    brake = Brake(Clock())
    for _ in range(MOST_IN_A_ROW - 1):
        brake.note(Failed("550"))
        brake.note(Retry("451"))
    assert brake.wait() is None
    brake.note(Failed("550"))
    assert brake.wait() is not None


async def test_a_mail_server_gone_wrong_does_not_fail_all_there_is(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, sender = await a_desk(desks, mail_server, smtp_connections=1)
    mail_server.will("RCPT", *["554 5.7.1 relay access denied"] * 100)
    for number in range(40):
        await desk.deliver(an_order(code=f"AAAA-{number:04}"))
    for _ in range(5):
        await sender.effects.run(desk.hub)
    states = await by_state(desk)
    assert states["planned"] >= 80 - 2 * (MOST_IN_A_ROW + 16)
    assert sum(map(len, reports(desk, MailFailed))) == states["failed"] >= MOST_IN_A_ROW
    put_off = await desk.fetch("SELECT attempts FROM msg.effect WHERE state = 'planned'")
    assert {row["attempts"] for row in put_off} == {0}, "what was put off was not tried"


@pytest.mark.parametrize("why", ["pace", "suppressed"])
async def test_a_mail_that_is_not_handed_over_is_not_a_probe(
    desks: Desks, mail_server: MailServer, why: str
) -> None:
    desk, sender = await a_desk(desks, mail_server, smtp_mails_per_minute=1)
    await desk.deliver(SuppressAddress(shop=SHOP, address="zoe@clients.example", reason="r", actor="lea"))
    await desk.deliver(an_order())
    left_out = "order_recap" if why == "pace" else "new_order"
    await desk.fetch(
        """UPDATE msg.effect SET state = 'discarded' FROM mail
           WHERE key = mail.id::text AND mail.template = $1 RETURNING key""",
        left_out,
    )
    if why == "pace":
        assert sender._pace.wait() is None
    clock = Clock()
    sender._brake = brake = Brake(clock)
    for _ in range(MOST_IN_A_ROW):
        brake.note(Failed("550"))
    clock.now += FIRST_PAUSE.total_seconds()
    await sender.effects.run(desk.hub)
    assert mail_server.journal == []
    assert brake.wait() is None, "the next mail may try"
    assert brake.wait() is not None, "and only one"


async def test_unknown_mailboxes_one_after_the_other_keep_no_other_mail_waiting(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, sender = await a_desk(desks, mail_server, smtp_connections=1)
    unknown = MOST_IN_A_ROW + 5
    mail_server.will(
        "RCPT", *["550 5.1.1 no such mailbox", "550 no such user", "553 bad name"] * (unknown // 3)
    )
    for number in range(unknown):
        await desk.deliver(an_order(code=f"AAAA-{number:04}"))
    for _ in range(5):
        await sender.effects.run(desk.hub)
    states = await by_state(desk)
    assert states.keys() <= {"bounced", "suppressed", "done"}
    assert sum(states.values()) == 2 * unknown
