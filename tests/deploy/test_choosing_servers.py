"""Which server is used: one named in the environment, then what is found, else an error with what to do."""

import sys
from pathlib import Path

import pytest

from deploy.demo import up
from deploy.local.packages import PackagesUnavailable, PrivateApt, cached
from deploy.local.postgres import PostgresNotFound, PostgresNotOurs, find_postgres, start_postgres
from deploy.local.prometheus.programs import (
    NAMES,
    TEMPLATES,
    PrometheusNotFound,
    find_own_templates,
    find_prometheus,
)
from deploy.local.rabbitmq import RabbitMQNotOurs, start_rabbitmq
from deploy.local.rabbitmq_home import RabbitmqHome, RabbitmqNotFound, find_own_place, find_rabbitmq


def test_a_named_postgres_wins_and_is_left_alone(tmp_path: Path) -> None:
    url = "postgresql://admin:secret@db.example:5432/postgres"
    server = start_postgres(tmp_path / "unused", {"COMPTOIR_POSTGRES_ADMIN_URL": url})
    assert server.admin_url == url
    server.stop()
    assert not (tmp_path / "unused").exists()
    for forbidden in (server.kill, server.restart, lambda: server.pid):
        with pytest.raises(PostgresNotOurs, match="COMPTOIR_POSTGRES_ADMIN_URL"):
            forbidden()


def test_a_named_rabbitmq_wins_and_is_left_alone(tmp_path: Path) -> None:
    broker = start_rabbitmq(
        tmp_path / "unused",
        {
            "COMPTOIR_RABBITMQ_URL": "amqp://hub:p%40ss@mq.example:5672/",
            "COMPTOIR_RABBITMQ_MANAGEMENT_URL": "http://mq.example:15672/",
            "COMPTOIR_RABBITMQ_METRICS_URL": "http://mq.example:15692",
        },
    )
    assert (broker.user, broker.password) == ("hub", "p@ss")
    assert broker.management_url == "http://mq.example:15672"
    assert broker.metrics_url == "http://mq.example:15692"
    broker.stop()
    assert not (tmp_path / "unused").exists()
    for forbidden in (broker.kill, broker.restart, broker.ctl, lambda: broker.node, lambda: broker.pid):
        with pytest.raises(RabbitMQNotOurs, match="COMPTOIR_RABBITMQ_URL"):
            forbidden()


def test_a_broker_named_by_half_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RabbitmqNotFound, match=", or neither"):
        start_rabbitmq(tmp_path / "unused", {"COMPTOIR_RABBITMQ_URL": "amqp://hub:x@mq.example/"})


@pytest.mark.parametrize("kind", ["auto", "installed", "embedded"])
def test_without_postgres_the_error_states_what_to_install(kind: str, tmp_path: Path) -> None:
    with pytest.raises(PostgresNotFound) as raised:
        find_postgres(kind, installed=[tmp_path], embedded=[])
    assert "apt-get install postgresql" in str(raised.value)
    assert "COMPTOIR_POSTGRES_ADMIN_URL" in str(raised.value)


def test_without_rabbitmq_the_error_states_what_to_install() -> None:
    with pytest.raises(RabbitmqNotFound) as raised:
        find_rabbitmq("installed", installed=[])
    assert "apt-get install rabbitmq-server" in str(raised.value)
    assert "COMPTOIR_RABBITMQ_URL" in str(raised.value)


def test_without_apt_the_error_states_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RabbitmqNotFound, match=r"no apt-get.*apt-get install rabbitmq-server"):
        find_rabbitmq("auto", installed=[], unpacked=tmp_path / "rabbitmq")
    assert not (tmp_path / "rabbitmq").exists()


def test_what_apt_complains_about_is_reported(tmp_path: Path) -> None:
    with pytest.raises(PackagesUnavailable, match="no-such-package"):
        PrivateApt(tmp_path).unpack(["no-such-package"], tmp_path)


def test_installed_monitoring_programs_come_before_fetched_ones(tmp_path: Path) -> None:
    installed = tmp_path / "bin"
    installed.mkdir()
    with pytest.raises(PrometheusNotFound, match="apt-get install prometheus prometheus-alertmanager"):
        find_prometheus("installed", installed)
    for name in NAMES:
        (installed / name).touch(mode=0o755)
    assert find_prometheus("auto", installed).promtool == installed / "promtool"


def test_an_alertmanager_with_another_path_of_templates_is_an_error(tmp_path: Path) -> None:
    program = tmp_path / "prometheus-alertmanager"
    program.write_bytes(b"\x7fELF" + TEMPLATES + b"/default.tmpl")
    find_own_templates(program)
    assert (TEMPLATES in program.read_bytes(), program.stat().st_size) == (False, 17 + len(TEMPLATES))
    with pytest.raises(PrometheusNotFound, match=r"does not contain /usr/share.*apt-get install"):
        find_own_templates(program)


def test_monitoring_programs_are_looked_for_before_the_demo_is_played(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COMPTOIR_PROMETHEUS", "docker")
    monkeypatch.setattr(sys, "argv", ["up", "--watch"])
    with pytest.raises(SystemExit, match="COMPTOIR_PROMETHEUS='docker': it is one of"):
        up.main()
    assert capsys.readouterr().out == ""


def test_without_apt_the_error_names_the_monitoring_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PrometheusNotFound, match=r"no apt-get.*apt-get install prometheus"):
        find_prometheus("fetched", unpacked=tmp_path / "prometheus")
    assert not (tmp_path / "prometheus").exists()


@pytest.mark.parametrize("kind", ["Installed", "docker"])
def test_a_kind_that_does_not_exist_names_those_that_do(kind: str) -> None:
    with pytest.raises(PrometheusNotFound, match="auto, installed, fetched"):
        find_prometheus(kind)
    with pytest.raises(PostgresNotFound, match="auto, installed, embedded"):
        find_postgres(kind, [], [])
    with pytest.raises(RabbitmqNotFound, match="auto, installed, fetched"):
        find_rabbitmq(kind, [])


def test_an_installed_broker_comes_before_a_fetched_one(tmp_path: Path) -> None:
    home = RabbitmqHome(tmp_path / "bin", tmp_path / "erlang")
    assert find_rabbitmq("auto", [home], unpacked=tmp_path / "never") == home
    assert find_rabbitmq("installed", [home]) == home


def test_a_cache_that_could_not_be_filled_is_not_there(tmp_path: Path) -> None:
    def fail_halfway(folder: Path) -> None:
        (folder / "half").touch()
        raise PackagesUnavailable("the network went away")

    with pytest.raises(PackagesUnavailable):
        cached(tmp_path / "parts", fail_halfway)
    assert [path.name for path in tmp_path.iterdir()] == ["parts.lock"]
    made = cached(tmp_path / "parts", lambda folder: (folder / "whole").touch())
    assert [path.name for path in made.iterdir()] == ["whole"]


def test_erlangs_script_finds_itself_wherever_it_is_moved(tmp_path: Path) -> None:
    script = tmp_path / "erlang" / "bin" / "erl"
    script.parent.mkdir(parents=True)
    script.write_text("if true\nthen\n    ROOTDIR=/usr/lib/erlang\nfi\n")
    find_own_place(script)
    assert "/usr/lib/erlang" not in script.read_text()
    assert '/.."' in script.read_text()
