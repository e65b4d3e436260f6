"""Every reason why a parcel or a shipment is refused is told at once."""

from uuid import UUID

from contracts.fulfillment.parcels import ParcelLine
from contracts.fulfillment.position import StockStanding
from services.fulfillment.order import parcel, shipment
from services.fulfillment.order.position import Line
from tests.builders.shipments import dispatch, pack
from tests.fulfillment.builders import a_shop, goods, placed, ticket

ORDER = placed(a_shop(), goods("A", 3), ticket(2))
LINES = {1: Line(1, "ship", "A", 3, packed=2), 2: Line(2, "ticket", None, 2)}


def test_all_reasons_at_once_with_both_values_and_the_field() -> None:
    reasons = parcel.reasons_against(pack(ORDER, {2: 1, 9: 1, 1: 2}), LINES, StockStanding.MISSING)
    assert {(reason.code, reason.field) for reason in reasons} == {
        ("quantity_above_left", "lines[2].quantity"),
        ("not_shippable", "lines[0]"),
        ("unknown_line", "lines[1]"),
        ("stock_missing", None),
    }
    above = next(reason for reason in reasons if reason.code == "quantity_above_left")
    assert above.message == "Line 1: 2 to pack, 1 left to pack; take at most 1."


def test_a_line_named_twice_counts_as_the_sum() -> None:
    twice = pack(ORDER, {1: 1})
    twice = twice.model_copy(
        update={"lines": [ParcelLine(line=1, quantity=1), ParcelLine(line=1, quantity=1)]}
    )
    assert parcel.units_of(twice) == {1: 2}
    assert [r.code for r in parcel.reasons_against(twice, LINES, StockStanding.RESERVED)] == [
        "quantity_above_left"
    ]


def test_nothing_left_shows_it() -> None:
    full = {1: Line(1, "ship", "A", 3, packed=3)}
    (reason,) = parcel.reasons_against(pack(ORDER, {1: 1}), full, StockStanding.RESERVED)
    assert reason.message == "Line 1: 1 to pack, 0 left to pack; leave this line out."


def test_a_cost_needs_its_currency() -> None:
    command = dispatch(ORDER, [UUID(int=1)], cost_minor=690)
    (reason,) = shipment.reasons_against(command, [], {})
    assert (reason.code, reason.field) == ("cost_without_currency", "cost_currency")


def test_a_given_link_wins_and_without_a_number_there_is_none() -> None:
    given = dispatch(ORDER, [UUID(int=1)], tracking_url="https://track.example/1")
    assert shipment.url_of(given) == "https://track.example/1"
    assert shipment.url_of(dispatch(ORDER, [UUID(int=1)], tracking_number=None)) is None
