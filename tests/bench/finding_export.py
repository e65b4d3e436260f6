"""`python -m tests.bench.finding_export URL SHOP`: export everything; prints rows, seconds, most memory in MiB."""

import os
import sys
import time
from zoneinfo import ZoneInfo

from services.chassis.storage.database import open_pool
from services.orders.listing.export.cells import CellFormat
from services.orders.listing.export.orders import export
from services.orders.listing.filters import Filters
from services.orders.listing.finder.finder import Finder
from services.orders.order.state import LABELS
from tests.bench.processes import most_resident_mib


async def main(url: str, shop: str) -> None:
    """Read the whole export and throw it away."""
    pool = await open_pool(url, 2, "bench")
    manner = CellFormat("fr", ZoneInfo("Europe/Paris"), {key: texts["fr"] for key, texts in LABELS.items()})
    rows, began = -1, time.monotonic()
    async with pool.acquire() as connection:
        async for piece in export(connection, Finder(), shop, Filters(), manner):
            rows += piece.count(b"\r\n")
    seconds = time.monotonic() - began
    await pool.close()
    # Not ru_maxrss: it begins with what the process that started this one held.
    sys.stdout.write(f"{rows} {seconds} {most_resident_mib(os.getpid())}\n")


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(*sys.argv[1:3]))
