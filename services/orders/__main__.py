"""Command line of orders: `python -m services.orders` runs it, `migrate` as argument updates its database."""

import services.chassis.runtime.garbage  # noqa: F401 - before all others
from services.chassis.runtime.command_line import main
from services.orders.app import SERVICE

if __name__ == "__main__":
    main(SERVICE)
