"""`python -m services.payments` runs the service, `… migrate` updates its database, `… verify` checks its books,
`… webhooks-check` compares the events that its endpoints have with those they need.
"""

import services.chassis.runtime.garbage  # noqa: F401 - before all others
from services.chassis.runtime.command_line import main
from services.payments.app import SERVICE

if __name__ == "__main__":
    main(SERVICE)
