"""How the conversations of a run must end, and that anything else is wrong."""

from collections import Counter
from dataclasses import replace

from deploy.demo.mail.conversations import (
    Conversations,
    expected_ends,
    mails_of_conversations,
    talkers,
    wrong_conversations,
)
from deploy.demo.sales.orders import demo_sales
from deploy.demo.sales.unknown_addresses import is_unknown, with_unknown_address

SALES = with_unknown_address(demo_sales())
RIGHT = Conversations(expected_ends(SALES), Counter(posted=1, automatic=1))


def test_two_customers_talk_who_can_be_reached() -> None:
    found = talkers(SALES)
    assert len(found) == 2
    assert all(sale.is_placed and not is_unknown(sale) for sale in found)
    assert mails_of_conversations(SALES) == 4


def test_with_a_single_customer_nobody_talks() -> None:
    [one, _] = talkers(SALES)
    assert talkers([one]) == []
    assert mails_of_conversations([one]) == 0
    assert wrong_conversations(Conversations(), [one]) == []


def test_conversations_that_went_as_written_are_right() -> None:
    assert wrong_conversations(RIGHT, SALES) == []
    assert RIGHT.report() == {
        "threads": {"waiting_customer": 1, "closed": 1},
        "messages": {"staff": 3, "customer": 1, "automatic": 1},
        "received": {"posted": 1, "automatic": 1},
    }


def test_a_thread_that_an_automatic_reply_opened_is_wrong() -> None:
    answered, left = RIGHT.ends
    reopened = replace(RIGHT, ends=[answered, left._replace(state="waiting_staff")])
    [wrong] = wrong_conversations(reopened, SALES)
    assert "conversations should end as" in wrong


def test_a_mail_that_ended_elsewhere_and_a_step_that_failed_are_wrong() -> None:
    filed = replace(RIGHT, received=Counter(posted=1, to_file=1), wrong=["a conversation stopped: no mail"])
    assert wrong_conversations(filed, SALES) == [
        "a conversation stopped: no mail",
        "received mails should be {'posted': 1, 'automatic': 1}, are {'posted': 1, 'to_file': 1}",
    ]
