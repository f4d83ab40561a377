"""The doctor's look at the metadata's database: can it be reached, does its schema fit."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from vexobj_server.commands.contents import explain, read_contents
from vexobj_server.commands.findings import Finding, Verdict
from vexobj_server.settings import Settings
from vexobj_storage.metadata.postgres_tx import PostgresTx
from vexobj_storage.metadata.sqlite_tx import SqliteTx, drive

ASYNCPG_MISSING = (
    "asyncpg is not installed, which PostgreSQL needs: install VexObj with its extra `postgres`."
)
_CONNECT_SECONDS = 5.0


def check_database(settings: Settings) -> Iterator[Finding]:
    if settings.metadata.url is None:
        yield from _sqlite(settings.storage.data_dir / "metadata.db", settings)
    else:
        yield from asyncio.run(_postgres(settings.metadata.url, settings))


def _sqlite(database: Path, settings: Settings) -> Iterator[Finding]:
    """The schema is read without making files, and without waiting for the server."""
    from vexobj_storage.metadata.connections import has_wal_reset_bug

    if has_wal_reset_bug():
        yield Finding(
            Verdict.WARNING,
            f"SQLite {sqlite3.sqlite_version} can damage a database when two connections"
            " checkpoint at once; VexObj never lets them, other programs on its files might.",
        )
    else:
        yield Finding(Verdict.FINE, f"SQLite {sqlite3.sqlite_version}.")
    if not database.exists():
        return
    # A database at rest has no log, and then reading it must not make one.
    mode = "mode=ro" if database.with_name("metadata.db-wal").exists() else "immutable=1"
    try:
        with contextlib.closing(
            sqlite3.connect(f"{database.absolute().as_uri()}?{mode}", uri=True)
        ) as it:
            row = it.execute("SELECT version_num FROM alembic_version").fetchone()
            schema = _schema(str(database), "sqlite", row and row[0])
            found = [schema]
            if schema.verdict is Verdict.FINE:
                it.execute("BEGIN")
                read = read_contents(SqliteTx(it), settings.storage.gc_grace)
                found += explain(drive(read), settings)
    except sqlite3.Error as error:
        yield Finding(Verdict.FAILURE, f"{database} cannot be read: {error}.")
    else:
        yield from found


async def _postgres(url: str, settings: Settings) -> list[Finding]:
    parts = urlsplit(url)
    name = f"PostgreSQL at {parts.hostname or 'the local socket'}{parts.path}"
    try:
        import asyncpg
    except ImportError:
        return [Finding(Verdict.FAILURE, ASYNCPG_MISSING)]
    try:
        connection = await asyncpg.connect(url, timeout=_CONNECT_SECONDS)
    except TimeoutError:
        sentence = f"{name} cannot be reached: no answer in {_CONNECT_SECONDS:g} seconds."
        return [Finding(Verdict.FAILURE, sentence)]
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return [Finding(Verdict.FAILURE, f"{name} cannot be reached: {error}.")]
    try:
        version = await connection.fetchval("SHOW server_version")
        found = [Finding(Verdict.FINE, f"{name} answers, version {version}.")]
        if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
            found.append(Finding(Verdict.FINE, f"{name} is empty; the first start fills it."))
        else:
            revision = await connection.fetchval("SELECT version_num FROM alembic_version")
            schema = _schema(name, "postgresql", revision)
            found.append(schema)
            if schema.verdict is Verdict.FINE:
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    grace = settings.storage.gc_grace
                    contents = await read_contents(PostgresTx(connection), grace)
                found += explain(contents, settings)
    except asyncpg.PostgresError as error:
        return [Finding(Verdict.FAILURE, f"{name} cannot be read: {error}.")]
    finally:
        await connection.close()
    return found


def _schema(name: str, dialect: str, found: str | None) -> Finding:
    from vexobj_storage import SchemaTooNew
    from vexobj_storage.metadata.migrate import head, script

    if found == head():
        return Finding(Verdict.FINE, f"{name} has this version's schema ({found}).")
    try:
        script(dialect, found)
    except SchemaTooNew:
        return Finding(
            Verdict.FAILURE,
            f"{name} has schema {found}, which this version does not know: it is of a newer one.",
        )
    return Finding(
        Verdict.WARNING, f"{name} has schema {found}: the next start migrates it to {head()}."
    )
