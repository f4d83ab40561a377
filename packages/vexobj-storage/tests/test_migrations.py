"""The migrated schema is the one that tables.py declares, however many processes migrate."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlmodel import Field, SQLModel

from vexobj_storage import ObjectStore, StoreConfig
from vexobj_storage.errors import SchemaTooNew, StoreBusy
from vexobj_storage.metadata.connections import SqliteFiles
from vexobj_storage.metadata.engine import open_metadata
from vexobj_storage.metadata.migrate import make_gate, migrate_postgres, script
from vexobj_storage.metadata.tables import metadata as schema
from vexobj_storage.migrations.__main__ import drafting
from vexobj_storage.testing_postgres import PostgresServer

OPEN = """
import asyncio, pathlib, sys
from vexobj_storage.metadata.engine import open_metadata
from vexobj_storage.metadata.migrate import script

async def main(directory, url=None):
    await (await open_metadata(pathlib.Path(directory), url)).close()

asyncio.run(main(*sys.argv[1:]))
"""

COLUMNS = """
    SELECT table_name, column_name, data_type, is_nullable, column_default, collation_name
    FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2
"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
OURS = ("alembic_version", "migration_gate")


@pytest.fixture
def empty_url(postgres: PostgresServer) -> Iterator[str]:
    name = postgres.create_database()
    yield postgres.url(name)
    postgres.drop_database(name)


def declared(dialect: Dialect) -> list[str]:
    statements = []
    for table in schema.sorted_tables:
        statements.append(str(CreateTable(table).compile(dialect=dialect)))
        statements += [str(CreateIndex(index).compile(dialect=dialect)) for index in table.indexes]
    return statements


def sqlite_schema(connection: sqlite3.Connection) -> dict[str, object]:
    """The columns of every table, in any order (a later one is added last), and the indexes."""
    tables = connection.execute("SELECT name, wr FROM pragma_table_list WHERE schema = 'main'")
    found: dict[str, object] = {}
    for name, is_clustered in tables.fetchall():
        if name not in OURS and not name.startswith("sqlite_"):
            columns = 'SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(?)'
            found[name] = (is_clustered, sorted(connection.execute(columns, [name])))
    indexes = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    found |= {name: " ".join(sql.split()) for name, sql in connection.execute(indexes)}
    uniques = "SELECT tbl_name, name FROM sqlite_master WHERE name LIKE 'sqlite_autoindex%'"
    return found | {n: table for table, n in connection.execute(uniques) if table not in OURS}


async def postgres_schema(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    rows = [*await connection.fetch(COLUMNS), *await connection.fetch(INDEXES)]
    await connection.close()
    lines = (" ".join(map(str, row)) for row in rows)
    return [line for line in lines if not any(ours in line for ours in OURS)]


async def test_sqlite_migrates_to_what_is_declared(tmp_path: Path) -> None:
    await (await open_metadata(tmp_path)).close()
    migrated = sqlite3.connect(SqliteFiles(tmp_path).database)
    direct = sqlite3.connect(":memory:")
    direct.executescript(";".join(declared(sqlite.dialect())))
    assert sqlite_schema(migrated) == sqlite_schema(direct)
    migrated.close()
    direct.close()


async def test_postgres_migrates_to_what_is_declared(
    postgres: PostgresServer, empty_url: str
) -> None:
    await (await open_metadata(Path(), empty_url)).close()
    name = postgres.create_database()
    direct = await asyncpg.connect(postgres.url(name))
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    await direct.execute(";".join(declared(dialect)))
    await direct.close()
    found = await postgres_schema(empty_url)
    assert len(found) > 50
    assert found == await postgres_schema(postgres.url(name))
    postgres.drop_database(name)


BEFORE_HOST_ALIASES = """
    INSERT INTO buckets (id, name, owner_id, created_us, public, versioning, settings) VALUES
        (1, 'none', 'o', 0, 0, 0, '{}'),
        (2, 'one', 'o', 0, 0, 0, '{"host_aliases": ["a.example.com", "b.example.com"]}'),
        (3, 'two', 'o', 0, 0, 0, '{"host_aliases": ["b.example.com", "c.example.com"]}');
"""
HOST_ALIASES = {"a.example.com": "one", "b.example.com": "one", "c.example.com": "two"}


async def test_host_aliases_of_settings_are_kept_on_sqlite(tmp_path: Path) -> None:
    older = sqlite3.connect(SqliteFiles(tmp_path).database)
    older.executescript(script("sqlite", None, "0001") + BEFORE_HOST_ALIASES)
    older.close()
    store = await ObjectStore.open(StoreConfig(tmp_path))
    assert await store.host_aliases() == HOST_ALIASES
    await store.close()


async def test_host_aliases_of_settings_are_kept_on_postgres(
    tmp_path: Path, empty_url: str
) -> None:
    older = await asyncpg.connect(empty_url)
    await older.execute(script("postgresql", None, "0001") + BEFORE_HOST_ALIASES)
    await older.close()
    store = await ObjectStore.open(StoreConfig(tmp_path, metadata_url=empty_url))
    assert await store.host_aliases() == HOST_ALIASES
    await store.close()


def run_many(*arguments: str) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", OPEN, *arguments]) for _ in range(4)]
    assert [process.wait(timeout=60) for process in processes] == [0] * 4


def test_several_processes_start_at_once_on_sqlite(tmp_path: Path) -> None:
    run_many(str(tmp_path))
    run_many(str(tmp_path))


def test_several_processes_start_at_once_on_postgres(tmp_path: Path, empty_url: str) -> None:
    run_many(str(tmp_path), empty_url)


async def test_a_newer_sqlite_schema_is_refused(tmp_path: Path) -> None:
    await (await open_metadata(tmp_path)).close()
    connection = sqlite3.connect(SqliteFiles(tmp_path).database)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(SchemaTooNew) as raised:
        await open_metadata(tmp_path)
    assert raised.value.found == "9999"


async def test_a_newer_postgres_schema_is_refused(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")
    await connection.close()
    with pytest.raises(SchemaTooNew):
        await open_metadata(Path(), postgres_url)


async def test_a_server_that_is_not_there_is_busy() -> None:
    with pytest.raises(StoreBusy):
        await open_metadata(Path(), "postgresql://vexobj@127.0.0.1:9/none")


def test_the_schema_is_not_mixed_with_that_of_the_program() -> None:
    class Foreign(SQLModel, table=True):
        __tablename__ = "foreign_to_vexobj"
        id: int = Field(primary_key=True)

    assert "foreign_to_vexobj" not in schema.tables
    assert "objects" not in SQLModel.metadata.tables


async def test_many_that_migrate_an_empty_postgres_at_once_all_succeed(empty_url: str) -> None:
    connections = [await asyncpg.connect(empty_url) for _ in range(8)]
    try:
        for _ in range(40):
            await connections[0].execute("DROP TABLE IF EXISTS migration_gate")
            await asyncio.gather(*map(make_gate, connections))
    finally:
        for connection in connections:
            await connection.close()
    opened = [migrate_postgres(empty_url, connect_seconds=60) for _ in range(4)]
    await asyncio.gather(*opened)


def test_a_draft_finds_nothing_that_the_revisions_lack() -> None:
    with drafting() as config:
        command.check(config)
