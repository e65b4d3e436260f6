"""`python -m services.notifier` runs the notifier; `python -m services.notifier migrate` updates its database."""

from services.chassis.running import Service, main
from services.notifier.api import build_app
from services.notifier.sending import Sender
from services.notifier.settings import NotifierSettings
from services.notifier.subscribers import subscribers

SERVICE = Service(
    name="notifier",
    settings=NotifierSettings,
    subscribers=subscribers,
    app=build_app,
    prepare=lambda hub: [Sender(hub).worker()],
)

if __name__ == "__main__":
    main(SERVICE)
