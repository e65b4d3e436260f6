"""Mails refused because of their sender: the merchant gets one mail per alarm, and the metrics count."""

from prometheus_client import REGISTRY

from tests.notifier.builders import SHOP
from tests.notifier.made_up_mails import html_of, text_of
from tests.notifier.sending.bounces.letters import a_report
from tests.notifier.sending.bounces.test_receiving import ZOE, Harness, harness

__all__ = ["harness"]
DIAGNOSTIC = "smtp; 550 5.7.1 <b>blocked</b> using Spamhaus"


def counted() -> list[float]:
    """Refused mails and alarms of the shop so far."""
    names = ("comptoir_mails_refused_as_unwanted_total", "comptoir_reputation_alarms_total")
    return [REGISTRY.get_sample_value(name, {"shop": SHOP}) or 0 for name in names]


async def test_the_merchant_gets_one_mail_per_alarm_and_the_metrics_count(harness: Harness) -> None:
    refused, alarms = counted()
    for mails_until_then in (1, 1, 2):
        await harness.send()
        await harness.receive(a_report(ZOE, status="5.7.1", diagnostic=DIAGNOSTIC))
        await harness.run()
        letters = [one for one in harness.server.journal if "indésirables" in str(one["Subject"])]
        assert [one["To"].addresses[0].addr_spec for one in letters] == (
            ["commandes@atelier.example"] * mails_until_then
        )
        await harness.desk.hub.pool.execute(
            "UPDATE reputation_alarm SET last_at = last_at - interval '25 hours' WHERE faults = 2"
        )
    assert "Réponse du serveur : 550 5.7.1 <b>blocked</b> using Spamhaus" in text_of(letters[0])
    assert "<b>blocked" not in html_of(letters[0])
    assert counted() == [refused + 3, alarms + 2]
