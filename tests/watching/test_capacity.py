"""Each command, alert, setting, series, file and key that the capacity page names exists."""

import re
from collections import defaultdict

import asyncpg
import pytest

from contracts.catalogue import SERVICES
from deploy.local.prometheus.watching import Watch
from deploy.local.system import ROOT
from services.chassis.unknown_settings import known_settings
from tests.bench.__main__ import MEASURES
from tests.watching.checking import check_command
from tests.watching.following import commands_of
from tests.watching.test_rules import ALERTS, METRIC, exported

PAGE = ROOT / "deploy" / "capacity.md"
TEXT = PAGE.read_text("utf-8")
KEYS = """
    SELECT n.nspname AS schema, t.relname AS name FROM pg_index i
    JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE i.indisunique AND n.nspname IN ('public', 'msg') AND NOT t.relispartition
    AND t.relname NOT IN ('schema_migrations', 'schema_migrations_after')
    AND NOT EXISTS (SELECT FROM pg_attribute a
        WHERE a.attrelid = t.oid AND a.attname = 'shop' AND a.attnum = ANY (i.indkey))"""
FOREIGN_KEYS = """
    SELECT DISTINCT t.relname AS name FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
    WHERE c.contype = 'f' AND NOT t.relispartition AND NOT EXISTS (SELECT FROM pg_attribute a
        WHERE a.attrelid = t.oid AND a.attname = 'shop' AND a.attnum = ANY (c.conkey))"""


@pytest.mark.parametrize("words", [pytest.param(words, id=" ".join(words)) for words in commands_of(PAGE)])
def test_a_command_exists_with_its_options(words: list[str], request: pytest.FixtureRequest) -> None:
    check_command(words, lambda: request.getfixturevalue("broker"))


def test_measures_alerts_settings_and_files_exist() -> None:
    measures = {name for names in re.findall(r'make bench ARGS="?([^"`\n]+)', TEXT) for name in names.split()}
    assert measures <= set(MEASURES)
    alerts = set(re.findall(r"`(Comptoir\w+)`", TEXT))
    assert {"ComptoirEventAgeHigh", "ComptoirQueueGrowing"} <= alerts <= set(ALERTS)
    settings = set(re.findall(r"\bCOMPTOIR_[A-Z_]*[A-Z]\b", TEXT))
    assert {"COMPTOIR_POOL_SIZE"} <= settings <= set(known_settings())
    files = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert [file for file in files if not (PAGE.parent / file).exists()] == []
    assert [file for file in re.findall(r"`(tests/[\w/]+\.py)`", TEXT) if not (ROOT / file).is_file()] == []


async def test_every_series_it_names_is_exported(watch: Watch) -> None:
    named = set(METRIC.findall(TEXT))
    assert {"comptoir_commit_seconds", "process_cpu_seconds_total"} <= named
    found = {name.removesuffix("_bucket") for name in await exported(watch)}
    assert named - found == set()


async def test_the_keys_without_shop_are_those_of_the_databases(watch: Watch) -> None:
    found: dict[str, set[str]] = defaultdict(set)
    foreign = set()
    for service in SERVICES:
        connection = await asyncpg.connect(watch.system.databases[service])
        try:
            for row in await connection.fetch(KEYS):
                found["msg" if row["schema"] == "msg" else service].add(row["name"])
            foreign |= {row["name"] for row in await connection.fetch(FOREIGN_KEYS)}
        finally:
            await connection.close()
    table = TEXT.split("| database | keys without `shop` |")[1].split("\n\n")[0]
    rows = re.findall(r"^\| `?(\w+)`?[^|]* \| (.+) \|$", table, re.MULTILINE)
    assert {name: set(re.findall(r"`(\w+)`", cell)) for name, cell in rows} == {
        **{service: set() for service in SERVICES},
        **found,
    }
    [sentence] = re.findall(r"Foreign keys without `shop` \(([^)]+)\)", TEXT)
    assert set(re.findall(r"`(\w+)`", sentence)) == foreign
