"""The envelope: what is written reads back equal; any other headers are EnvelopeUnreadable."""

import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.derived.asyncapi import ENVELOPE_ATTRIBUTES
from contracts.envelope import (
    LARGEST_SEQUENCE,
    PREFIX,
    Envelope,
    EnvelopeUnreadable,
    uuid7,
    uuid7_floor,
    uuid7_time,
)

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=1024)
TIMESTAMPS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
ENVELOPES = st.builds(
    Envelope,
    id=st.uuids(),
    source=WORDS,
    type=WORDS,
    time=TIMESTAMPS,
    shop=st.none() | WORDS,
    subject=st.none() | WORDS,
    sequence=st.none() | st.integers(1, LARGEST_SEQUENCE),
    correlation_id=st.none() | WORDS,
    causation_id=st.none() | st.uuids(),
    traceparent=st.none() | WORDS,
)
NAMES = [*ENVELOPE_ATTRIBUTES, "colour"]
SOUP = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters()),
    st.binary(),
    st.binary().map(bytearray),
    st.datetimes(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.sampled_from(
        ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "x" * 5000, 10**5000, "\ud800"]
    ),
    st.sampled_from(["1.0", str(uuid4()), "2026-03-14T09:26:53Z", "12", "٣", " 7 ", "1_0", "-1"]),
)
KEYS = st.sampled_from([prefix + name for prefix in (PREFIX, "cloudEvents:", "ce-", "") for name in NAMES])


def readable(**changes: Any) -> dict[str, Any]:
    """Headers of a sound envelope, with some attributes replaced; None leaves one out."""
    attributes: dict[str, Any] = {
        "specversion": "1.0",
        "id": str(uuid7()),
        "source": "/orders",
        "type": "orders.order.placed.v1",
        "time": "2026-03-14T09:26:53.589Z",
    }
    attributes.update(changes)
    return {PREFIX + name: value for name, value in attributes.items() if value is not None}


@given(ENVELOPES)
def test_what_is_written_reads_back_equal(envelope: Envelope) -> None:
    headers = envelope.headers()
    assert Envelope.read(headers) == envelope
    assert Envelope.read({name: value.encode() for name, value in headers.items()}) == envelope


def test_the_prefix_of_the_amqp_1_0_binding_is_understood() -> None:
    envelope = Envelope(
        uuid7(), "/orders", "orders.order.placed.v1", datetime(2026, 3, 14, tzinfo=UTC), sequence=3
    )
    headers = {name.replace(PREFIX, "cloudEvents:"): value for name, value in envelope.headers().items()}
    assert Envelope.read({"x-delivery-count": 2, **headers}) == envelope


def read_or_refused(headers: dict[str, Any]) -> Envelope | None:
    """The envelope, None if it is unreadable; any other exception is the test's failure."""
    try:
        return Envelope.read(headers)
    except EnvelopeUnreadable:
        return None


@given(st.dictionaries(KEYS | st.text(max_size=20), SOUP, max_size=12))
def test_soup_is_unreadable_or_an_envelope_and_nothing_else(headers: dict[str, Any]) -> None:
    envelope = read_or_refused(headers)
    assert envelope is None or Envelope.read(envelope.headers()) == envelope


@given(st.dictionaries(st.sampled_from(NAMES), SOUP, min_size=1, max_size=3))
def test_a_sound_envelope_with_some_soup_in_it(changes: dict[str, Any]) -> None:
    envelope = read_or_refused(readable(**changes))
    assert envelope is None or Envelope.read(envelope.headers()) == envelope


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"id": None}, "cloudEvents_id is missing"),
        ({"type": None}, "cloudEvents_type is missing"),
        ({"source": ""}, "cloudEvents_source is empty"),
        ({"id": "K7F3-QD9M"}, "cloudEvents_id must be a UUID with hyphens"),
        ({"id": str(uuid7()).replace("-", "")}, "cloudEvents_id must be a UUID with hyphens"),
        ({"specversion": None}, "cloudEvents_specversion is missing"),
        ({"time": None}, "cloudEvents_time is missing"),
        ({"time": "1773480413"}, "RFC 3339"),
        ({"time": "2026-03-14 09:26:53Z"}, "RFC 3339"),
        ({"time": "2026-02-30T09:26:53Z"}, "does not exist"),
        ({"id": b"\xff\xfe"}, "not UTF-8"),
        ({"subject": ["a"]}, "must be text, not list"),
        ({"type": "x" * 1025}, "longer than 1024"),
        ({"shop": "a\x00b"}, "NUL"),
        ({"sequence": "0"}, "counts from 1"),
        ({"sequence": str(LARGEST_SEQUENCE + 1)}, "counts from 1"),
        ({"sequence": 10**5000}, "64 bits"),
        ({"time": "2026-03-14T09:26:53"}, "has no time zone"),
        ({"time": "yesterday"}, "RFC 3339"),
        ({"causationid": "?"}, "cloudEvents_causationid must be a UUID"),
        ({"specversion": "0.3"}, "send CloudEvents 1.0"),
    ],
)
def test_the_error_names_the_attribute(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(EnvelopeUnreadable, match=says):
        Envelope.read(readable(**changes))


def test_the_prefix_of_another_binding_is_unknown() -> None:
    with pytest.raises(EnvelopeUnreadable, match="missing"):
        Envelope.read({name.replace(PREFIX, "ce-"): value for name, value in readable().items()})


def test_times_of_other_zones_are_read_as_utc() -> None:
    zone = timezone(timedelta(hours=2))
    timestamp = datetime(2026, 4, 2, 18, 5, 11, tzinfo=zone)
    assert Envelope.read(readable(time=timestamp)).time == timestamp
    assert (
        Envelope.read(readable(time=timestamp.isoformat())).headers()[f"{PREFIX}time"]
        == "2026-04-02T16:05:11Z"
    )


def test_ids_only_grow_and_hold_their_time() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    ids = [uuid7() for _ in range(20_000)]
    after = datetime.now(UTC) + timedelta(seconds=6)
    assert ids == sorted(set(ids))
    assert {identifier.version for identifier in ids} == {7}
    assert {identifier.variant for identifier in ids} == {uuid4().variant}
    assert before <= uuid7_time(ids[0]) <= uuid7_time(ids[-1]) <= after


def test_an_id_follows_the_clock() -> None:
    now_ms = time.time_ns() // 1_000_000
    assert abs((uuid7().int >> 80) - now_ms) < 10_000


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_the_floor_of_a_timestamp_is_below_every_id_made_in_its_millisecond(timestamp: datetime) -> None:
    floor = uuid7_floor(timestamp)
    smallest_id = UUID(int=floor.int | 0x7 << 76 | 0b10 << 62)
    assert floor < smallest_id
    assert uuid7_time(smallest_id) == timestamp.replace(microsecond=timestamp.microsecond // 1000 * 1000)


@pytest.mark.parametrize(
    "identifier", [uuid4(), UUID(int=0), UUID(int=(2**48 - 1) << 80 | 0x7 << 76 | 0b10 << 62)]
)
def test_what_holds_no_time_is_a_value_error_that_states_what_to_do(identifier: UUID) -> None:
    with pytest.raises(ValueError, match="make event ids with"):
        uuid7_time(identifier)
