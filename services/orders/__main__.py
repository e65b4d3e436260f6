"""Command line of orders: `python -m services.orders` runs it, `migrate` as argument updates its database."""

from services.chassis.runtime.command_line import main
from services.orders.app import SERVICE

if __name__ == "__main__":
    main(SERVICE)
