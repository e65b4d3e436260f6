"""A mail and the effect that sends it are written together or not at all, in a replay too."""

from contracts.notifier.mails import MailUncertain, ResendMail
from services.chassis.testing import envelope_for
from tests.conftest import Desks
from tests.notifier.builders import SHOP, a_shipment, an_edit, an_order
from tests.notifier.mail_server import MailServer
from tests.notifier.replaying import replay
from tests.notifier.sending.test_sending import RESEND, a_desk, reports, send_until, settled


async def test_every_mail_has_a_state_after_a_replay(desks: Desks, mail_server: MailServer) -> None:
    """A shipment is announced, the customer's address is corrected, the shipment is replayed."""
    desk, sender = await a_desk(desks, mail_server)
    order = an_order()
    await desk.deliver(order)
    shipment = a_shipment(order.order_id)
    envelope = envelope_for("notifier", shipment)
    await desk.deliver(shipment, envelope=envelope)
    await send_until(desk, sender, settled)
    await desk.deliver(an_edit(order))
    await replay(desk, shipment, envelope)
    states = [row["state"] for row in await desk.fetch("SELECT state FROM mail_with_state")]
    assert None not in states


async def test_mails_of_a_replay_after_a_loss_can_be_sent(desks: Desks, mail_server: MailServer) -> None:
    """The database is that of yesterday, today's events are replayed; a person asks for one of the mails."""
    desk, sender = await a_desk(desks, mail_server)
    await replay(desk, an_order())
    mail_id = await desk.fetchval("SELECT id FROM mail ORDER BY id LIMIT 1")
    await desk.deliver(ResendMail(shop=SHOP, mail_id=mail_id, actor="lea"))
    for _ in range(5):
        await sender.effects.run(desk.hub)
    assert len(mail_server.journal) >= 1


async def test_a_replay_plans_no_second_mail_and_publishes_nothing_known(
    desks: Desks, mail_server: MailServer
) -> None:
    desk, sender = await a_desk(desks, mail_server)
    order = an_order()
    placed = envelope_for("notifier", order)
    await desk.deliver(order, envelope=placed)
    await send_until(desk, sender, settled)
    await desk.deliver(an_edit(order))
    await replay(desk, order, placed)
    assert desk.emitted() == []
    assert await desk.fetchval("SELECT count(*) FROM mail") == 2


async def test_mails_of_a_replay_after_a_loss_wait_for_a_person(
    desks: Desks, mail_server: MailServer
) -> None:
    """They are told as uncertain, so that staff find them; none goes by itself."""
    desk, sender = await a_desk(desks, mail_server, uncertain_mails=RESEND)
    await replay(desk, an_order())
    (event,) = reports(desk, MailUncertain)
    assert {report.template for report in event} == {"new_order", "order_recap"}
    await sender.effects.run(desk.hub)
    assert mail_server.journal == []
    assert {row["state"] for row in await desk.fetch("SELECT state FROM mail_with_state")} == {"uncertain"}
