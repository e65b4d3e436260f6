"""Spans derived from logged messages: each has its parent in its trace, and an export repeated makes the same."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from contracts.catalogue import SERVICES
from contracts.envelope import uuid7
from deploy.traces.spans import STOREFRONTS, Event, Handled, Kind, MailAttempt, Period, Span, spans_of

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
TRACE = "0af7651916cd43dd8448eb211c80319c"


def event(
    sender: str, cause: UUID | None = None, trace: str = TRACE, number: int = 1, **changes: object
) -> Event:
    values = {
        "id": uuid7(),
        "sender": sender,
        "type": f"{sender}.thing.done.v1",
        "time": NOW,
        "shop": "maison",
        "subject": "an order",
        "correlation_id": "an order",
        "causation_id": cause,
        "traceparent": f"00-{trace}-{number:016x}-01",
    }
    return Event(**{**values, **changes})  # type: ignore[arg-type]


def handled(message_id: UUID, listener: str, source: str = "/orders", seconds: float = 1) -> Handled:
    return Handled(message_id, listener, source, NOW + timedelta(seconds=seconds))


def by_name(spans: list[Span]) -> dict[str, Span]:
    return {span.name: span for span in spans}


def test_a_sale_is_one_trace_from_the_storefront_to_the_mail() -> None:
    submitted = uuid7()
    placed = event("orders", submitted, number=1)
    reserved = event("fulfillment", placed.id, number=2)
    mail = MailAttempt(uuid7(), placed.id, "order_recap", "maison", NOW, NOW + timedelta(seconds=3), "done")
    period = Period(
        events=(placed, reserved),
        handled=(
            handled(submitted, "orders", "/storefront/maison/shop"),
            handled(placed.id, "fulfillment"),
            handled(placed.id, "notifier"),
            handled(reserved.id, "orders", "/fulfillment"),
        ),
        mails=(mail,),
    )
    spans = list(spans_of(period))
    found = by_name(spans)
    assert {span.trace_id for span in spans} == {TRACE}
    parents = {span.span_id: span for span in spans}
    path, span = [], found["mail order_recap"]
    while True:
        path.append((span.service, span.name))
        if span.parent_id is None:
            break
        span = parents[span.parent_id]
    assert path == [
        ("notifier", "mail order_recap"),
        ("notifier", "process orders.thing.done.v1"),
        ("orders", "send orders.thing.done.v1"),
        ("orders", "process storefront message"),
        (STOREFRONTS, "send storefront message"),
    ]
    assert found["send orders.thing.done.v1"].span_id == f"{1:016x}"
    assert found["mail order_recap"].end - found["mail order_recap"].start == timedelta(seconds=3)


def test_a_storefront_s_message_without_a_trace_begins_the_one_its_id_names() -> None:
    submitted = uuid7()
    spans = list(spans_of(Period(handled=(handled(submitted, "orders", "/storefront/maison/shop"),))))
    assert {span.trace_id for span in spans} == {submitted.hex}
    assert [span.kind for span in spans] == [Kind.PRODUCER, Kind.CONSUMER]


def test_what_follows_in_another_trace_begins_there_and_names_what_it_follows_from() -> None:
    cause = event("orders", trace="1" * 32)
    later = event("payments", cause.id, trace="2" * 32, number=2)
    spans = by_name(list(spans_of(Period((cause, later), (handled(cause.id, "payments"),)))))
    follows = spans["send payments.thing.done.v1"]
    assert (follows.trace_id, follows.parent_id) == ("2" * 32, None)
    assert follows.follows == ("1" * 32, spans["process orders.thing.done.v1"].span_id)


def test_what_was_caused_before_the_period_and_is_not_known_begins_a_trace() -> None:
    (span,) = spans_of(Period((event("payments", uuid7()),)))
    assert (span.parent_id, span.follows) == (None, None)


def test_a_mail_that_failed_is_marked() -> None:
    mail = MailAttempt(uuid7(), uuid7(), "order_recap", "maison", NOW, NOW, "failed")
    (span,) = spans_of(Period(mails=(mail,)))
    assert (span.has_failed, span.parent_id) == (True, None)


@st.composite
def lives(draw: st.DrawFn) -> Period:
    """Messages of which each follows from an earlier one, or from a storefront's, and was handled or not."""
    roots = [uuid7() for _ in range(draw(st.integers(1, 3)))]
    events: list[Event] = []
    done = [handled(root, "orders", "/storefront/maison/shop") for root in roots if draw(st.booleans())]
    for number in range(draw(st.integers(0, 12))):
        cause = draw(st.sampled_from([None, *roots, *(one.id for one in events)]))
        sender = draw(st.sampled_from(SERVICES))
        trace = draw(st.sampled_from([TRACE, "2" * 32]))
        made = event(
            sender,
            cause,
            trace,
            number + 1,
            traceparent=draw(st.sampled_from([None, f"00-{trace}-{number + 1:016x}-01"])),
        )
        events.append(made)
        listeners = draw(st.sets(st.sampled_from(SERVICES)))
        done += [handled(made.id, one, f"/{sender}") for one in sorted(listeners)]
    causes = [*roots, *(one.id for one in events)]
    mails = [
        MailAttempt(uuid7(), draw(st.sampled_from(causes)), "order_recap", "maison", NOW, NOW, "done")
        for _ in range(draw(st.integers(0, 3)))
    ]
    return Period(tuple(events), tuple(done), tuple(mails))


@given(life=lives())
def test_each_parent_is_a_span_of_its_trace_and_no_span_comes_twice(life: Period) -> None:
    spans = list(spans_of(life))
    ids = [(span.trace_id, span.span_id) for span in spans]
    assert len(set(ids)) == len(ids)
    assert {(span.trace_id, span.parent_id) for span in spans if span.parent_id is not None} <= set(ids)
    assert {span.follows for span in spans if span.follows is not None} <= set(ids)
    assert list(spans_of(life)) == spans
    assert all(span.start <= span.end for span in spans)


@given(life=lives(), parts=st.integers(1, 4))
def test_periods_one_by_one_have_the_spans_of_the_whole(life: Period, parts: int) -> None:
    """Each period knows its causes and which of them were handled, as the reader gives them."""
    size = max(1, len(life.events) // parts)
    whole = {(span.trace_id, span.span_id): span for span in spans_of(life)}
    found: dict[tuple[str, str], Span] = {}
    known = {one.id for one in life.events}
    for begun in range(0, max(1, len(life.events)), size):
        chosen = life.events[begun : begun + size]
        ids = {one.id for one in chosen}
        part = Period(
            events=chosen,
            handled=tuple(one for one in life.handled if one.event_id in ids),
            causes=tuple(one for one in life.events if one.id not in ids),
            earlier=tuple(one for one in life.handled if one.event_id not in ids),
        )
        found |= {(span.trace_id, span.span_id): span for span in spans_of(part)}
    assert found == {
        key: span
        for key, span in whole.items()
        if UUID(span.attributes.get("messaging.message.id", str(UUID(int=0)))) in known
    }
