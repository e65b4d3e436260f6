"""Command line of the customer's page: `python -m services.notifier.page`."""

import services.chassis.runtime.garbage  # noqa: F401 - before all others
from services.chassis.runtime.command_line import main
from services.notifier.page.app import SERVICE

if __name__ == "__main__":
    main(SERVICE)
