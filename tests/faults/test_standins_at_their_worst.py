"""Payment providers at their worst for a while: nothing is lost, nothing doubled, no fraud gets through.

`make soak` runs it for two minutes; COMPTOIR_SOAK_SECONDS says how long.
"""

import os
from collections import Counter

import pytest

from tests.faults.harness import Harness
from tests.faults.soak import Soak

SECONDS = float(os.environ.get("COMPTOIR_SOAK_SECONDS", "20"))


@pytest.mark.timeout(SECONDS + 400)
async def test_every_order_reads_what_was_paid_and_given_back(
    harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    async with Soak(harness.system) as soak:
        await soak.run(SECONDS)
        harness.history.remember(soak.submitted, soak.providers.journal)
        assert {post.status for post in soak.forged} == {400}
        given_back = [each for each in soak.bought if each.refunded_minor]
        for provider, made in soak.made.items():
            wanted = [each.refunded_minor for each in given_back if each.sale.provider == provider]
            assert made == sorted(wanted)
            assert made
        assert len(soak.bought) > SECONDS
        assert given_back
        assert soak.lost
        assert any(
            times > 1
            for times in Counter(post.event_id for post in soak.providers.journal.accepted()).values()
        )
        figures = soak.figures
    found = await harness.history.violations()
    with capsys.disabled():
        print(f"\n{SECONDS:.0f} s: {figures}; {len(found)} violations")
    assert found == [], "\n".join(map(str, found))
