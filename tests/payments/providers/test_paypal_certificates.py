"""PayPal's certificates: judged by name, dates and chain at an injected time, fetched rarely, kept for a while."""

import asyncio
import gc
import weakref
from datetime import UTC, datetime, timedelta

import pytest

from deploy.demo.standins.paypal.certificates import SIGNING_NAME, Authority, Holder, new_key
from services.payments.providers.paypal.signature.certificates import (
    MOST_CACHED,
    Certificates,
    CertificateUnavailable,
    Trust,
    verify,
)
from services.payments.providers.port import SignatureRefused

AUTHORITY = Authority()
GENUINE = AUTHORITY.issue(SIGNING_NAME)
TRUST = Trust((AUTHORITY.root,), SIGNING_NAME)
NOW = datetime.now(UTC)


def judged(holder: Holder, at: datetime = NOW, *, whole: bool = True) -> None:
    verify(holder.chain_pem(whole=whole), TRUST, at)


def test_a_certificate_up_to_the_root_is_good() -> None:
    judged(GENUINE)


def test_a_chain_of_rsa_keys_as_paypal_has_is_good() -> None:
    authority = Authority(make_key=new_key)
    chain = authority.issue(SIGNING_NAME).chain_pem()
    verify(chain, Trust((authority.root,), SIGNING_NAME), NOW)


@pytest.mark.parametrize("days", [-30, 400])
def test_a_certificate_is_good_between_its_dates_only(days: int) -> None:
    with pytest.raises(SignatureRefused, match="certificate_expired"):
        judged(GENUINE, NOW + timedelta(days=days))


@pytest.mark.parametrize("name", ["paypal.com", f"x.{SIGNING_NAME}", SIGNING_NAME.replace(".sandbox", "")])
def test_a_certificate_of_another_name_is_refused(name: str) -> None:
    with pytest.raises(SignatureRefused, match="certificate_name_wrong"):
        judged(AUTHORITY.issue(name))


def test_a_certificate_of_another_root_is_refused() -> None:
    with pytest.raises(SignatureRefused, match="certificate_untrusted"):
        judged(Authority().issue(SIGNING_NAME))


def test_a_certificate_without_its_intermediate_is_not_judged() -> None:
    with pytest.raises(CertificateUnavailable):
        judged(GENUINE, whole=False)


@pytest.mark.parametrize(
    "answer", [b"", b"<html>", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_certificate_is_none(answer: bytes) -> None:
    with pytest.raises(CertificateUnavailable):
        verify(answer, TRUST, NOW)


class Body:
    """What a request posted."""


class Server:
    """A server of certificates whose fetches are counted, and a clock that the test sets."""

    def __init__(self, holder: Holder = GENUINE) -> None:
        self.fetched: list[str] = []
        self.is_unavailable = False
        self.now = NOW
        self.holder = holder
        self.certificates = Certificates(self.fetch, TRUST, lambda: self.now)

    async def fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        await asyncio.sleep(0)
        if self.is_unavailable:
            raise CertificateUnavailable("away")
        return self.holder.chain_pem()


async def test_those_that_come_together_share_one_fetch() -> None:
    server = Server()
    await asyncio.gather(*(server.certificates.key_at("one") for _ in range(20)))
    assert server.fetched == ["one"]
    await server.certificates.key_at("one")
    assert server.fetched == ["one"]


async def test_a_certificate_is_fetched_again_after_a_day_and_serves_on_meanwhile() -> None:
    server = Server()
    await server.certificates.key_at("one")
    server.now, server.is_unavailable = NOW + timedelta(hours=25), True
    await server.certificates.key_at("one")
    assert len(server.fetched) == 2
    server.now += timedelta(seconds=59)
    await server.certificates.key_at("one")
    assert len(server.fetched) == 2
    server.now, server.is_unavailable = NOW + timedelta(hours=26), False
    await server.certificates.key_at("one")
    assert len(server.fetched) == 3


async def test_a_cached_certificate_serves_until_its_end_only() -> None:
    server = Server(AUTHORITY.issue(SIGNING_NAME, until=NOW + timedelta(hours=2)))
    await server.certificates.key_at("one")
    server.now = NOW + timedelta(hours=3)
    with pytest.raises(SignatureRefused, match="certificate_expired"):
        await server.certificates.key_at("one")


async def test_a_failure_is_remembered_for_a_minute() -> None:
    server = Server()
    server.is_unavailable = True
    for _ in range(3):
        with pytest.raises(CertificateUnavailable):
            await server.certificates.key_at("one")
    assert len(server.fetched) == 1
    server.now, server.is_unavailable = NOW + timedelta(seconds=61), False
    await server.certificates.key_at("one")
    assert len(server.fetched) == 2


@pytest.mark.parametrize(
    ("is_unavailable", "kind"), [(True, CertificateUnavailable), (False, SignatureRefused)]
)
async def test_a_remembered_failure_holds_nothing_of_the_requests_that_met_it(
    is_unavailable: bool, kind: type[Exception]
) -> None:
    server = Server(AUTHORITY.issue("paypal.com"))
    server.is_unavailable = is_unavailable
    bodies: list[weakref.ref[Body]] = []

    async def post() -> str:
        body = Body()
        bodies.append(weakref.ref(body))
        with pytest.raises(kind) as failed:
            await server.certificates.key_at("one")
        return str(failed.value)

    texts = {await post() for _ in range(5)}
    await asyncio.sleep(0)
    gc.collect()
    assert (len(server.fetched), len(texts)) == (1, 1)
    assert [body() for body in bodies] == [None] * 5


async def test_the_cache_is_bounded() -> None:
    server = Server()
    for n in range(MOST_CACHED + 4):
        await server.certificates.key_at(f"address-{n}")
    assert len(server.certificates._cached) == MOST_CACHED


async def test_few_fetches_run_at_once() -> None:
    server = Server()
    found = await asyncio.gather(
        *(server.certificates.key_at(f"address-{n}") for n in range(20)), return_exceptions=True
    )
    assert sum(isinstance(one, CertificateUnavailable) for one in found) == 16
