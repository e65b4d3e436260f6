"""The demo's people: one of each role, who share a password that is new in every run."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import httpx2

from deploy.local.system import BACKOFFICE, System
from deploy.samples.merchants import Merchant

_WORDS = (
    "carnet",
    "couture",
    "dorure",
    "encre",
    "ficelle",
    "garance",
    "marbrure",
    "papier",
    "plume",
    "presse",
)
_PEOPLE = (
    ("owner", "Garance Leroy", "garance"),
    ("manager", "Malik Benali", "malik"),
    ("fulfilment", "Fanny Hamon", "fanny"),
    ("accountant", "Achille Comte", "achille"),
)


@dataclass(frozen=True)
class Person:
    """Somebody who may sign in."""

    role: str
    name: str
    login: str


@dataclass(frozen=True)
class Staff:
    """All of them, the owner first."""

    people: tuple[Person, ...]
    password: str


def staff_of(merchant: Merchant) -> Staff:
    """Made-up people of a merchant, at a domain that reaches nobody, and a password one can type."""
    domain = merchant.profile["merchant_email"].partition("@")[2]
    words = (secrets.choice(_WORDS) for _ in range(3))
    password = "-".join([*words, str(1000 + secrets.randbelow(9000))])
    return Staff(tuple(Person(role, name, f"{login}@{domain}") for role, name, login in _PEOPLE), password)


@asynccontextmanager
async def signed_in(system: System, staff: Staff) -> AsyncIterator[httpx2.AsyncClient]:
    """The owner's browser, signed in to the back office."""
    address = system.url(BACKOFFICE)
    headers = {"Origin": address}
    async with httpx2.AsyncClient(base_url=address, headers=headers, timeout=15, trust_env=False) as http:
        login = {"login": staff.people[0].login, "password": staff.password, "next": "/"}
        await submit(http, "/sign-in", login)
        yield http


async def submit(http: httpx2.AsyncClient, path: str, fields: Mapping[str, str]) -> None:
    """Submit a form of the back office, whose command may still be in progress afterwards.

    Raises RuntimeError with the page that came instead of success.
    """
    answer = await http.post(path, data={"key": str(uuid4()), **fields})
    if answer.status_code not in (httpx2.codes.SEE_OTHER, httpx2.codes.ACCEPTED):
        raise RuntimeError(f"the form {path} was answered {answer.status_code}: {answer.text[:500]}")


async def hire(system: System, shop: str, staff: Staff, people: Sequence[Person]) -> None:
    """Let some of them into the back office."""
    hirings = (
        system.add_staff(shop, person.login, staff.password, person.role, person.name) for person in people
    )
    await asyncio.gather(*hirings)
