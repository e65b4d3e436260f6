"""Write the dashboards: `python -m deploy.grafana`. A test compares the committed files with what this writes."""

import json
from pathlib import Path

from deploy.grafana import business, messaging, outbox, rabbitmq, service
from deploy.grafana.building import Dashboard

FOLDER = Path(__file__).parent / "dashboards"
DASHBOARDS = (
    business.DASHBOARD,
    messaging.DASHBOARD,
    outbox.DASHBOARD,
    service.DASHBOARD,
    rabbitmq.DASHBOARD,
)


def text_of(dashboard: Dashboard) -> str:
    """Return the file of a dashboard."""
    return json.dumps(dashboard.to_json(), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write every dashboard to its file and remove files of dashboards that are no more."""
    FOLDER.mkdir(exist_ok=True)
    texts = {f"{dashboard.name}.json": text_of(dashboard) for dashboard in DASHBOARDS}
    for path in FOLDER.glob("*.json"):
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
