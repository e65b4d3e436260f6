"""The table of kinds, and refusals by our own mail server as the same facts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.sending.bounces.kinds import Kind, kind_of, status_in
from services.notifier.sending.bounces.refusals import refusal_in


@pytest.mark.parametrize(("action", "status", "text", "kind"), [
    ("delayed", "4.4.1", "", "delayed"), ("delayed", "5.1.1", "", "delayed"), ("", "4.2.0", "", "delayed"),
    ("delivered", "2.0.0", "", "receipt"), ("Relayed", "2.0.0", "", "receipt"), ("expanded", "2.0.0", "", "receipt"),
    *(("failed", status, "", "address") for status in ("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1")),
    *(("failed", status, "", "full") for status in ("5.2.2", "4.2.2", "5.3.1")),
    *(("failed", status, "", "too_big") for status in ("5.3.4", "5.2.3")),
    ("failed", "5.7.1", "", "reputation"), ("failed", "5.7.26", "", "reputation"),
    ("failed", "5.1.1", "550 5.7.1 blocked using Spamhaus", "reputation"),
    ("failed", "5.0.0", "550 SPF check failed", "reputation"),
    ("failed", "5.0.0", "554 DMARC policy", "reputation"), ("failed", "5.4.4", "listed in a blocklist", "reputation"),
    ("failed", "5.2.1", "550 5.2.1 this account was blocked", "address"),
    ("failed", "5.1.1", "see https://mx.example/spam/reputation", "address"),
    ("failed", "5.4.7", "", "other"), ("failed", "4.4.1", "", "other"), ("failed", "5.3.0", "", "other"),
    ("failed", "5.0.0", "something went wrong", "other"), ("failed", None, "", "other"),
    ("failed", None, "550 5.1.1 unknown", "address"), ("failed", "5.0.0", "User unknown", "address"),
    ("failed", "5.0.0", "The recipient's mailbox is full", "full"), ("", "5.1.1", "", "address"),
    ("failed", "5.01.001", "", "address"), ("FAILED", "5.1.1 (bad mailbox)", "", "address"),
])  # fmt: skip
def test_kind(action: str, status: str | None, text: str, kind: str) -> None:
    assert kind_of(action, status, text) == kind


@given(st.text(), st.text(), st.text())
def test_any_text_has_a_kind(action: str, status: str, text: str) -> None:
    assert kind_of(action, status, text) in tuple(Kind)


@given(
    st.sampled_from(["blocked using x", "poor reputation", "SPF fail", "spam", "DKIM"]), st.text(max_size=50)
)
def test_a_fault_of_reputation_is_never_one_of_the_address(words: str, more: str) -> None:
    assert kind_of("failed", "5.1.1", f"{words} {more}") is Kind.REPUTATION


@pytest.mark.parametrize("text", ["192.0.2.51", "version 5.1.1.2", "25.1.1", "5.1"])
def test_no_status_where_there_is_none(text: str) -> None:
    assert status_in(text) is None


@pytest.mark.parametrize(("note", "kind", "status"), [
    ("recipient: 550 5.1.1 no such mailbox", "address", "5.1.1"), ("recipient: 550 no such user", "address", None),
    ("recipient: 550 no", "other", None), ("recipient: 552 no room", "full", None),
    ("recipient: 553 no", "address", None),
    ("recipient: 550 5.7.1 blocked using Spamhaus", "reputation", "5.7.1"),
    ("given up after 20 tries: recipient: 452 4.2.2 mailbox full", "full", "4.2.2"),
    ("content: 552 5.3.4 too big", "too_big", "5.3.4"), ("content: 554 5.7.1 spam", "reputation", "5.7.1"),
])  # fmt: skip
def test_a_refusal_is_the_same_fact(note: str, kind: str, status: str | None) -> None:
    report = refusal_in(note)
    assert report is not None
    assert (report.kind, report.status) == (kind, status)


@pytest.mark.parametrize("note", [
    "sender: 550 5.7.1 not you", "data: 554 5.5.1 no", "content: 554 no", "content: 550 5.1.1 no",
    "recipient: 554 5.7.1 relay access denied", "given up after 20 tries: recipient: 451 greylisted",
    "the order was deleted",
    "no answer after the whole letter was sent: recipient: 550 5.1.1", "suppressed: address",
])  # fmt: skip
def test_what_is_not_about_the_recipient_is_none(note: str) -> None:
    assert refusal_in(note) is None
