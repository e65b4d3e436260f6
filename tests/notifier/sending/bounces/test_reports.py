"""Reports are read whatever wrote them, and nothing in one raises."""

import time
from base64 import encodebytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notifier.sending.bounces.reports import Report, read_reports
from tests.notifier.sending.bounces.letters import a_complaint, a_report, an_answer, an_exim_bounce

ZOE = "zoe@clients.example"


def the_only(raw: bytes) -> Report:
    (report,) = read_reports(raw)
    return report


def test_report_of_postfix() -> None:
    report = the_only(a_report("Zoe@Clients.example"))
    assert report == Report(
        frozenset({ZOE}), report.kind, "failed", "5.1.1", "550 5.1.1 No such user", "mx.clients.example"
    )
    assert report.kind == "address"


def test_original_recipient_counts_beside_the_final_one() -> None:
    report = the_only(a_report("zoe.2@elsewhere.example", original=ZOE))
    assert report.addresses == {ZOE, "zoe.2@elsewhere.example"}


def test_each_recipient_has_a_report() -> None:
    found = read_reports(a_report(ZOE, ("paul@c.example", "delayed", "4.4.1")))
    assert [(report.kind, report.status) for report in found] == [("address", "5.1.1"), ("delayed", "4.4.1")]


def test_status_part_in_base64() -> None:
    raw = a_report(ZOE)
    fields = raw.split(b"message/delivery-status\r\n\r\n")[1].split(b"--A\r\n")[0]

    encoded = raw.replace(
        b"message/delivery-status\r\n\r\n" + fields,
        b"message/delivery-status\r\nContent-Transfer-Encoding: base64\r\n\r\n" + encodebytes(fields),
    )
    assert the_only(encoded).addresses == {ZOE}


def test_international_recipient() -> None:
    raw = a_report(ZOE).replace(b"rfc822; zoe@clients.example", rb"utf-8; zo\x{E9}@clients.example")
    assert the_only(raw).addresses == {"zoé@clients.example"}


@pytest.mark.parametrize(("words", "kind"), [
    ("550 5.1.1 User unknown", "address"), ("552 5.2.2 mailbox full", "full"),
    ("550 5.7.1 blocked using zen.spamhaus.org", "reputation"), ("550 rejected", "other"),
])  # fmt: skip
def test_bounce_of_exim_as_text(words: str, kind: str) -> None:
    report = the_only(an_exim_bounce(ZOE, words))
    assert (report.addresses, str(report.kind)) == (frozenset({ZOE}), kind)
    assert words in report.diagnostic


@pytest.mark.parametrize("recipient", [ZOE, None])
def test_complaint(recipient: str | None) -> None:
    report = the_only(a_complaint(recipient))
    assert (str(report.kind), report.addresses) == ("complaint", frozenset({ZOE} if recipient else ()))


def test_answer_of_a_person_is_no_report() -> None:
    assert read_reports(an_answer()) == []


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 800), st.integers(0, 200))
def test_no_damage_raises(damage: bytes, at: int, length: int) -> None:
    raw = a_report(ZOE)
    read_reports(raw[:at] + damage + raw[at + length :])
    read_reports(damage)


@pytest.mark.parametrize("raw", [
    b"", b"\xff\xfe", b"Content-Type: multipart/report; boundary=\x00\r\n\r\n--",
    b"Content-Type: message/delivery-status\r\n\r\n",
    b"Content-Type: multipart/report\r\n\r\nno boundary", b"From: =?x-foo?Q?=FF?=\r\n\r\n" + b"x" * 2_000_000,
])  # fmt: skip
def test_hostile_mail_is_no_report(raw: bytes) -> None:
    assert read_reports(raw) == []


@pytest.mark.parametrize("raw", [
    b'Content-Type: multipart/report; a="' + b'\\";' * 60_000 + b"\r\n\r\nx",
    b"Content-Type: multipart/report; boundary=b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 90_000,
    a_report(ZOE).replace(b"Action:", b'Content-Type: text/plain; a="' + b'\\";' * 60_000 + b"\r\nAction:"),
    b"".join(b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (one, one) for one in range(300)),
])  # fmt: skip
def test_hostile_one_takes_no_long_time(raw: bytes) -> None:
    """The process does nothing else meanwhile; with the standard library's parser these took up to 20 seconds."""
    began = time.process_time()
    assert len(read_reports(raw)) <= 1
    assert time.process_time() - began < 2
