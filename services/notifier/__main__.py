"""Entry point: `python -m services.notifier` runs the notifier; `python -m services.notifier migrate` updates
its database.
"""

from services.chassis.runtime.running import Service, main
from services.notifier.api import build_app
from services.notifier.handlers import subscribers
from services.notifier.mails.settings import NotifierSettings
from services.notifier.sending.sending import Sender

SERVICE = Service(
    name="notifier",
    settings=NotifierSettings,
    subscribers=subscribers,
    app=build_app,
    prepare=lambda hub: [Sender(hub).worker()],
)

if __name__ == "__main__":
    main(SERVICE)
