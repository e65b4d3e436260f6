"""Which mails are due: the switch active when the cause happened decides; a mail without a switch has a reason."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.notifier.mails.mail import Template
from services.notifier.mails.rules.rule import (
    DEFAULTS,
    EXPLAINED,
    FIXED,
    FixedReason,
    Rules,
    is_due,
    is_on,
    rules_at,
    switches_of,
)

START = datetime(2026, 11, 20, tzinfo=UTC)
switches = st.dictionaries(st.sampled_from([one.value for one in DEFAULTS]), st.booleans())
timestamps = st.integers(0, 1000).map(lambda minutes: START + timedelta(minutes=minutes))


@st.composite
def histories(draw: st.DrawFn) -> list[Rules]:
    """Versions of one shop's rules, made one after the other, in any order they are read."""
    times = sorted(draw(st.lists(timestamps, max_size=6)))
    made = [Rules(number, draw(switches), 180, at) for number, at in enumerate(times, 1)]
    return draw(st.permutations(made))


def test_every_mail_has_a_switch_or_a_reason_why_it_has_none() -> None:
    assert set(DEFAULTS) | set(FIXED) == set(Template)
    assert set(DEFAULTS) & set(FIXED) == set()
    assert set(EXPLAINED) == set(FixedReason)


@given(st.sampled_from(list(FIXED)), timestamps, histories())
def test_a_mail_without_a_switch_is_always_due(template: Template, at: datetime, made: list[Rules]) -> None:
    assert is_due(template, at, made)


@given(st.sampled_from(list(DEFAULTS)), timestamps, histories())
def test_the_latest_switch_before_the_cause_decides(
    template: Template, at: datetime, made: list[Rules]
) -> None:
    expected = DEFAULTS[template]
    for rules in sorted(made, key=lambda one: one.version):
        if rules.changed_at <= at:
            expected = rules.switches.get(template.value, DEFAULTS[template])
    assert is_due(template, at, made) is expected


@given(st.sampled_from(list(DEFAULTS)), timestamps, histories(), switches)
def test_a_later_change_never_changes_what_was_due(
    template: Template, at: datetime, made: list[Rules], later: dict[str, bool]
) -> None:
    before = is_due(template, at, made)
    change = Rules(len(made) + 1, later, 180, START + timedelta(minutes=1001))
    assert is_due(template, at, [*made, change]) is before


@given(histories())
def test_the_position_of_every_switch_is_shown(made: list[Rules]) -> None:
    rules = rules_at(made, START + timedelta(days=9))
    assert switches_of(rules) == {one.value: is_on(one, rules) for one in DEFAULTS}
