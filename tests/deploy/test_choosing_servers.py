"""Which server is used: one named in the environment, then what is found, else an error with what to do."""

from pathlib import Path

import pytest

from deploy.local.packages import PackagesUnavailable, PrivateApt, cached
from deploy.local.postgres import PostgresNotFound, PostgresNotOurs, find_postgres, start_postgres
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
        },
    )
    assert (broker.user, broker.password) == ("hub", "p@ss")
    assert broker.management_url == "http://mq.example:15672"
    broker.stop()
    assert not (tmp_path / "unused").exists()
    for forbidden in (broker.kill, broker.restart, broker.ctl, lambda: broker.node, lambda: broker.pid):
        with pytest.raises(RabbitMQNotOurs, match="COMPTOIR_RABBITMQ_URL"):
            forbidden()


def test_a_broker_named_by_half_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RabbitmqNotFound, match="set both or neither"):
        start_rabbitmq(tmp_path / "unused", {"COMPTOIR_RABBITMQ_URL": "amqp://hub:x@mq.example/"})


@pytest.mark.parametrize("kind", ["auto", "installed", "embedded"])
def test_without_postgres_the_error_says_what_to_install(kind: str, tmp_path: Path) -> None:
    with pytest.raises(PostgresNotFound) as raised:
        find_postgres(kind, installed=[tmp_path], embedded=[])
    assert "apt-get install postgresql" in str(raised.value)
    assert "COMPTOIR_POSTGRES_ADMIN_URL" in str(raised.value)


def test_without_rabbitmq_the_error_says_what_to_install() -> None:
    with pytest.raises(RabbitmqNotFound) as raised:
        find_rabbitmq("installed", installed=[])
    assert "apt-get install rabbitmq-server" in str(raised.value)
    assert "COMPTOIR_RABBITMQ_URL" in str(raised.value)


def test_without_apt_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RabbitmqNotFound, match=r"no apt-get.*apt-get install rabbitmq-server"):
        find_rabbitmq("auto", installed=[], unpacked=tmp_path / "broker")
    assert not (tmp_path / "broker").exists()


def test_what_apt_complains_about_is_told(tmp_path: Path) -> None:
    with pytest.raises(PackagesUnavailable, match="no-such-package"):
        PrivateApt(tmp_path).unpack(["no-such-package"], tmp_path)


@pytest.mark.parametrize("kind", ["Installed", "docker"])
def test_a_kind_that_does_not_exist_names_those_that_do(kind: str) -> None:
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
