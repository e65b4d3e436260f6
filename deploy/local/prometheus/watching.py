"""Prometheus and Alertmanager beside a running system, on free ports of 127.0.0.1.

They run the committed configuration in `deploy/prometheus`, the one that is deployed; only the files it reads
beside it are written here: the token, and the targets, which are the programs that run now and the broker.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from deploy.local.ports import free_ports
from deploy.local.prometheus.programs import PrometheusPrograms, find_prometheus
from deploy.local.supervisor import Program
from deploy.local.system import BACKOFFICE, CUSTOMER_PAGE, PAGE_METRICS, ROOT, System

CONFIGURATION = ROOT / "deploy" / "prometheus"
PROMETHEUS, ALERTMANAGER = "prometheus", "alertmanager"


@dataclass
class Watch:
    """Prometheus and Alertmanager of one system. `start` starts them; they end with the system.

    `instead_of` maps texts of the committed files to others, so that tests need not wait for minutes.
    """

    system: System
    instead_of: Mapping[str, str] = field(default_factory=dict)
    programs: PrometheusPrograms = field(default_factory=find_prometheus)
    ports: list[int] = field(default_factory=lambda: free_ports(2))

    @property
    def prometheus_url(self) -> str:
        return f"http://127.0.0.1:{self.ports[0]}"

    @property
    def alertmanager_url(self) -> str:
        return f"http://127.0.0.1:{self.ports[1]}"

    @property
    def folder(self) -> Path:
        return self.system.folder / "watch"

    async def start(self) -> None:
        """Start both and wait until they answer; all programs of the system that run now are scraped."""
        self._configure()
        its_alertmanager = alertmanager(self.programs, self.folder, self.ports[1])
        await self.system.supervisor.start(self._prometheus(), its_alertmanager)

    async def link_from_the_back_office(self) -> None:
        """Restart the back office with the settings by which its Operations page links to both."""
        await self.system.supervisor.stop(BACKOFFICE)
        urls = {
            "COMPTOIR_PROMETHEUS_URL": self.prometheus_url,
            "COMPTOIR_ALERTMANAGER_URL": self.alertmanager_url,
        }
        await self.system.supervisor.start(self.system.program(BACKOFFICE, **urls))

    def targets(self) -> None:
        """Write which programs are scraped; Prometheus reads the files again when they change."""
        self._write("comptoir", [self._target(name) for name in self._scraped()])
        broker = self.system.rabbitmq.metrics_url
        self._write("rabbitmq", [{"targets": [urlsplit(broker).netloc]}] if broker else [])
        self._write("alertmanager", [{"targets": [urlsplit(self.alertmanager_url).netloc]}])

    def _configure(self) -> None:
        (self.folder / "targets").mkdir(parents=True, mode=0o700)
        for file in CONFIGURATION.glob("*.yml"):
            text = file.read_text(encoding="utf-8")
            for committed, instead in self.instead_of.items():
                text = text.replace(committed, instead)
            (self.folder / file.name).write_text(text, encoding="utf-8")
        token = self.folder / "token"
        token.touch(mode=0o600)
        token.write_text(self.system.secrets.internal_token, encoding="utf-8")
        self.targets()

    def _scraped(self) -> list[str]:
        return [name for name in self.system.supervisor.names() if name in self.system.ports]

    def _target(self, program: str) -> dict[str, object]:
        port = self.system.ports[PAGE_METRICS if program == CUSTOMER_PAGE else program]
        return {"targets": [f"127.0.0.1:{port}"], "labels": {"program": program}}

    def _write(self, name: str, groups: list[dict[str, object]]) -> None:
        """Replace a file of targets at once, since Prometheus may be reading it."""
        file = self.folder / "targets" / f"{name}.json"
        file.with_suffix(".new").write_text(json.dumps(groups), encoding="utf-8")
        file.with_suffix(".new").replace(file)

    def _prometheus(self) -> Program:
        argv: list[str | Path] = [
            self.programs.prometheus,
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'series'}",
            f"--web.listen-address=127.0.0.1:{self.ports[0]}",
            f"--web.local-assets={self.programs.shared / 'web'}",
            "--log.level=warn",
        ]
        return Program(PROMETHEUS, argv, ready_url=f"{self.prometheus_url}/-/ready", cwd=self.folder)


def alertmanager(programs: PrometheusPrograms, folder: Path, port: int) -> Program:
    """Return the Alertmanager of the configuration in `folder`, which also holds its data."""
    argv: list[str | Path] = [
        programs.alertmanager,
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'alerts'}",
        f"--web.listen-address=127.0.0.1:{port}",
        f"--web.ui-path={programs.templates / 'no-ui'}",
        "--cluster.listen-address=",
        "--log.level=warn",
    ]
    ready_url = f"http://127.0.0.1:{port}/-/ready"
    return Program(ALERTMANAGER, argv, ready_url=ready_url, cwd=programs.templates)
