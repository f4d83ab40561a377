"""Bringing a database to the schema of this version, with Alembic's revisions as plain SQL.

Revisions are rendered to SQL text (Alembic's offline mode) and run on the engine's own
connections, so a revision consists of statements: it cannot ask the database questions.
"""

import contextlib
import io
import os
import sqlite3
from functools import cache
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from vexobj_storage import migrations
from vexobj_storage.errors import SchemaTooNew
from vexobj_storage.metadata.connections import (
    SqliteFiles,
    condition,
    connect,
    open_lock,
    write_lock,
)

_REVISION = "SELECT version_num FROM alembic_version"
_MAKE_GATE = "CREATE TABLE IF NOT EXISTS migration_gate (id SMALLINT PRIMARY KEY)"
_FILL_GATE = "INSERT INTO migration_gate VALUES (1) ON CONFLICT DO NOTHING"
_ENTER_GATE = "SELECT id FROM migration_gate WHERE id = 1 FOR UPDATE"
# Not by to_regclass: within a transaction it may remember that there was no such table before.
_IS_MIGRATED = (
    "SELECT 1 FROM information_schema.tables"
    " WHERE table_schema = current_schema() AND table_name = 'alembic_version'"
)
_HAS_REVISION = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(Path(migrations.__file__).parent))


def head() -> str | None:
    """The revision that this version of the package works with; None before the first."""
    return _scripts().get_current_head()


def script(dialect: str, current: str | None, target: str = "head") -> str:
    """The SQL that leads from `current` (None: an empty database) to `target`.

    Raises: SchemaTooNew when `current` is not known here.
    """
    scripts, sql = _scripts(), io.StringIO()
    try:
        scripts.get_revision(current or "base")
    except CommandError as error:
        raise SchemaTooNew(str(current)) from error
    with EnvironmentContext(
        Config(),
        scripts,
        fn=lambda revision, _: scripts._upgrade_revs(target, revision),  # noqa: SLF001 - as alembic.command does
        as_sql=True,
        starting_rev=current,
    ) as environment:
        environment.configure(
            dialect_name=dialect, output_buffer=sql, transactional_ddl=False, literal_binds=True
        )
        environment.run_migrations()
    return sql.getvalue()


def migrate_sqlite(files: SqliteFiles) -> None:
    """Create or upgrade the database, one process at a time."""
    lock = open_lock(files)
    try:
        with write_lock(lock), contextlib.closing(connect(files)) as connection:
            current = _sqlite_revision(connection)
            if current != head():
                sql = script("sqlite", current)
                connection.executescript(f"BEGIN IMMEDIATE;\n{sql}\nCOMMIT;")
    except sqlite3.Error as error:
        raise condition(error, writing=True) or error from error
    finally:
        os.close(lock)


def _sqlite_revision(connection: sqlite3.Connection) -> str | None:
    if connection.execute(_HAS_REVISION).fetchone() is None:
        return None
    row = connection.execute(_REVISION).fetchone()
    return None if row is None else str(row[0])


async def migrate_postgres(url: str, *, connect_seconds: float) -> None:
    """Create or upgrade the schema, one process at a time; the others wait on a row's lock."""
    import asyncpg

    connection = await asyncpg.connect(url, timeout=connect_seconds)
    try:
        if await _postgres_revision(connection) == head():
            return
        await make_gate(connection)
        async with connection.transaction():
            await connection.execute(_ENTER_GATE)
            current = await _postgres_revision(connection)
            if current != head():
                await connection.execute(script("postgresql", current))
    finally:
        await connection.close()


async def _postgres_revision(connection: Any) -> str | None:
    if await connection.fetchval(_IS_MIGRATED) is None:
        return None
    revision: str | None = await connection.fetchval(_REVISION)
    return revision


async def make_gate(connection: Any) -> None:
    """A table whose one row is the lock of migrations: CockroachDB has no advisory locks."""
    import asyncpg

    # Two at once can collide in the catalogue in spite of IF NOT EXISTS, over the table, its type
    # or a row of either; the second try sees it.
    with contextlib.suppress(
        asyncpg.UniqueViolationError, asyncpg.DuplicateTableError, asyncpg.DuplicateObjectError
    ):
        await connection.execute(_MAKE_GATE)
    await connection.execute(_MAKE_GATE)
    await connection.execute(_FILL_GATE)
