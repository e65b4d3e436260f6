"""The way back through pages that are only found forwards."""

from urllib.parse import parse_qsl, urlencode

from hypothesis import given
from hypothesis import strategies as st

from services.orders.backoffice.web.back_links import MOST, BackLinks

PLACES = st.lists(st.text("abc+:/ _-0", min_size=1, max_size=6), max_size=30)


def _sent(parameters: dict[str, str]) -> dict[str, str]:
    return dict(parse_qsl(urlencode(parameters)))


@given(PLACES)
def test_every_step_back_is_the_step_one_took(places: list[str]) -> None:
    queries = [dict[str, str]()]
    for place in places:
        queries.append(_sent(BackLinks.of(queries[-1], "after").on(place)))
    query, walked = queries[-1], len(places)
    while (back := BackLinks.of(query, "after").back) is not None:
        walked -= 1
        query = _sent(back)
        if len(places) - walked > MOST:
            assert query == {}
            return
        assert query.get("after", "") == queries[walked].get("after", "")
    assert walked == 0


def test_a_trail_that_nobody_gave_is_bounded() -> None:
    back_links = BackLinks.of({"after": "z", "trail": "~".join("abcdefghijklmnopqrstuvwxyz" * 500)}, "after")
    assert len(back_links.past) == MOST
    assert BackLinks.of({"trail": "a~b"}, "after").back is None
