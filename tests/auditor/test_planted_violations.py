"""Each damage, planted in the databases of a real life, is seen by exactly the checks that are there for
it.
"""

import pytest

from deploy.auditor.auditing import audit, run_checks, until_quiet
from deploy.auditor.finding import CHECKS, sentence_of
from deploy.auditor.inputs import Inputs
from tests.auditor.life import Life
from tests.auditor.plants import DAMAGES, Damage


async def test_a_life_without_damage_has_no_violations(life: Life) -> None:
    found = await audit(life.urls, life.journals)
    assert not found, "\n".join(map(str, found))


@pytest.mark.parametrize("damage", DAMAGES, ids=[damage.what.replace(" ", "-") for damage in DAMAGES])
async def test_damage_is_seen_by_exactly_its_checks(inputs: Inputs, damage: Damage) -> None:
    violations = await run_checks(await damage.plant(inputs))
    assert {violation.check for violation in violations} == damage.seen_by, "\n".join(map(str, violations))
    for violation in violations:
        assert violation.where
        assert violation.expected != violation.found


def test_every_check_has_damage_that_it_sees() -> None:
    assert set(CHECKS) == {name for damage in DAMAGES for name in damage.seen_by}


def test_every_check_states_what_it_holds_to_be_true() -> None:
    for name in CHECKS:
        assert len(sentence_of(name)) > 20, name


async def test_what_still_moves_is_waited_for_and_then_reported(inputs: Inputs) -> None:
    assert await until_quiet(inputs, 5)
    damage = next(damage for damage in DAMAGES if "outboxes_are_empty" in damage.seen_by)
    assert not await until_quiet(await damage.plant(inputs), 0.3)


async def test_a_second_reversal_of_a_payment_needs_no_entry_of_its_own(inputs: Inputs) -> None:
    await inputs.orders.execute(
        """INSERT INTO command (command_id, shop, order_id, type, actor, state, requested_at, settled_at)
           SELECT gen_random_uuid(), shop, order_id, 'orders.payment.reverse.v1', 'staff:x', 'done', now(), now()
           FROM orders LIMIT 1"""
    )
    assert await run_checks(inputs, ["money_by_hand_has_its_command"]) == []
