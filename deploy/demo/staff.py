"""The demo's people: one of each role, who share a password that is made up anew in every run."""

import asyncio
import secrets
from dataclasses import dataclass

from deploy.demo.sales.merchant import Merchant
from deploy.local.system import System

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


async def hire(system: System, shop: str, staff: Staff) -> None:
    """Let them into the back office."""
    hirings = (
        system.add_staff(shop, person.login, staff.password, person.role, person.name)
        for person in staff.people
    )
    await asyncio.gather(*hirings)
