"""The command `python -m services.orders.backoffice`: run the back office, or create its first users.

… migrate                                             bring orders' database up to date
… invite-owner --shop S --login MAIL [--name NAME]     print a link with which the first owner chooses a password
… add-staff --shop S --login MAIL --role ROLE [--name NAME]    with the password on standard input
"""

import sys

import services.chassis.runtime.garbage  # noqa: F401 - before all others
from services.chassis.runtime.command_line import main
from services.orders.backoffice import commandline
from services.orders.backoffice.app import SERVICE

if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in commandline.COMMANDS:
        commandline.run(sys.argv[1:])
    else:
        main(SERVICE)
