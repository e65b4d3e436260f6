"""A scan of a shop's orders: its sort, direction and start. Pure."""

from dataclasses import dataclass

from services.orders.listing.cursor import PageCursor


@dataclass(frozen=True, slots=True)
class Scan:
    """The sort and start of a scan: by total or by time, downwards or upwards, beyond a place."""

    is_by_total: bool
    is_descending: bool
    beyond: PageCursor | None = None

    @property
    def column(self) -> str:
        return "total_minor" if self.is_by_total else "placed_at"

    @property
    def order(self) -> str:
        order = "desc" if self.is_descending else "asc"
        return f"{self.column} {order}, order_id {order}"

    @property
    def sign(self) -> str:
        return "<" if self.is_descending else ">"

    def reversed(self, cursor: PageCursor | None) -> "Scan":
        """Return the scan in the other direction, from a place."""
        return Scan(self.is_by_total, not self.is_descending, cursor)


def direction(scan: Scan) -> str:
    return "desc" if scan.is_descending else "asc"


def farthest(scan: Scan) -> str:
    if scan.is_by_total:
        return "(-9223372036854775807)" if scan.is_descending else "9223372036854775807"
    return "'-infinity'" if scan.is_descending else "'infinity'"
