"""`python -m deploy.topology` says in a sentence what is wrong with the broker it is given."""

import re
import secrets
from pathlib import Path
from urllib.parse import quote, urlsplit

import aio_pika
import pytest

import deploy.topology
from deploy.local.parts import RabbitMQ
from deploy.topology import Management, main


def refusal_of(monkeypatch: pytest.MonkeyPatch, url: str, command: str = "check", vhost: str = "/") -> str:
    """What it says as it ends."""
    monkeypatch.setenv("COMPTOIR_RABBITMQ_MANAGEMENT_URL", url)
    monkeypatch.setenv("COMPTOIR_VHOST", vhost)
    with pytest.raises(SystemExit) as ended:
        main([command])
    return str(ended.value)


@pytest.mark.parametrize("command", ["check", "apply"])
def test_nobody_there(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    text = refusal_of(monkeypatch, "http://admin:secret@127.0.0.1:1", command)
    assert "does not answer at http://127.0.0.1:1" in text
    assert "secret" not in text


@pytest.mark.parametrize("command", ["check", "apply"])
def test_a_wrong_password(monkeypatch: pytest.MonkeyPatch, rabbitmq: RabbitMQ, command: str) -> None:
    at = urlsplit(rabbitmq.management_url).netloc
    assert "refuses the user or password" in refusal_of(monkeypatch, f"http://comptoir:wrong@{at}", command)


def test_a_virtual_host_that_is_not_there(monkeypatch: pytest.MonkeyPatch, rabbitmq: RabbitMQ) -> None:
    at = urlsplit(rabbitmq.management_url).netloc
    url = f"http://{rabbitmq.user}:{quote(rabbitmq.password)}@{at}"
    assert "no such virtual host" in refusal_of(monkeypatch, url, vhost="nowhere")


async def test_a_storefront_gets_its_login_as_documented(
    monkeypatch: pytest.MonkeyPatch, rabbitmq: RabbitMQ
) -> None:
    at = urlsplit(rabbitmq.management_url).netloc
    url = f"http://{rabbitmq.user}:{quote(rabbitmq.password)}@{at}"
    document = (Path(deploy.topology.__file__).parent / "README.md").read_text()
    [password] = re.findall(r"export (COMPTOIR_PASSWORD_\w+)=", document)
    [storefronts] = re.findall(r'export COMPTOIR_STOREFRONTS="(.+)"', document)
    vhost = f"documented-{secrets.token_hex(4)}"
    settings = {"COMPTOIR_STOREFRONTS": storefronts, "COMPTOIR_VHOST": vhost, password: "chosen"}
    for name, value in {"COMPTOIR_RABBITMQ_MANAGEMENT_URL": url, **settings}.items():
        monkeypatch.setenv(name, value)
    try:
        main(["apply"])
        login = "storefront.maison.events"
        host = urlsplit(rabbitmq.amqp_url).netloc.rpartition("@")[2]
        async with await aio_pika.connect(f"amqp://{login}:chosen@{host}/{vhost}") as connection:
            queue = await (await connection.channel()).get_queue(login)
            assert queue.name == login
    finally:
        Management(url).send("DELETE", f"vhosts/{vhost}")
        Management(url).send("DELETE", "users/storefront.maison.events")
