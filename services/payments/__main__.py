"""`python -m services.payments` runs the service, `python -m services.payments migrate` updates its database."""

from services.chassis.runtime.running import main
from services.payments.program import service

main(service())
