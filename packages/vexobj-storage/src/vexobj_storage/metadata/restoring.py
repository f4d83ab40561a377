"""A store's metadata made of a snapshot: a database to put in place, or rows for an empty one."""

import contextlib
import sqlite3

from sqlalchemy import delete, exists, select

from vexobj_storage.files import write_failure
from vexobj_storage.metadata import migrate
from vexobj_storage.metadata.connections import SqliteFiles, condition, connect
from vexobj_storage.metadata.ops import facts, places, sql
from vexobj_storage.metadata.ops.references import CONDEMNED
from vexobj_storage.metadata.snapshot import TABLES, Snapshot
from vexobj_storage.metadata.sqlite_tx import SqliteTx, drive
from vexobj_storage.metadata.tables import metadata
from vexobj_storage.metadata.tx import Tx
from vexobj_storage.webhooks import DeliveryState

_RESTORED = "restored"
"""The fact that tells which backup a store was made of."""

_HOLDING = ("identities", "access_keys", "buckets", "objects", "versions", "blobs", "uploads")
_ANY = [sql.query(select(next(iter(metadata.tables[name].c))).limit(1)) for name in _HOLDING]
_CLEAR = {table.name: sql.query(delete(table)) for table in TABLES if table.name not in _HOLDING}
_INSERT = {table.name: sql.insert(table) for table in TABLES}
_B = sql.BLOBS
_DROP_CONDEMNED_INLINE = sql.query(
    delete(sql.INLINE_BLOBS).where(
        exists().where(_B.c.blob_id == sql.INLINE_BLOBS.c.blob_id, _B.c.state == CONDEMNED)
    )
)
_D = sql.DELIVERIES
_DROP_WAITING = sql.query(delete(_D).where(_D.c.state == DeliveryState.WAITING.value))
_DROP_CONDEMNED = sql.query(delete(_B).where(_B.c.state == CONDEMNED))


def prepare(files: SqliteFiles, backup: str, store_id: str, place: str) -> None:
    """Make of a copy of a snapshot the metadata of a store that never ran, in a single file.

    It is migrated. Condemned blobs are left out, whose bytes a backup does not have, and so are
    leases, the whereabouts of the store that was backed up, and what it had still to tell others:
    it may have told them since, and goes on doing so when this is only a trial.

    Raises: SchemaTooNew, OutOfSpace, WriteFailed.
    """
    try:
        migrate.migrate_sqlite(files)
        with contextlib.closing(connect(files)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            drive(_make_new(SqliteTx(connection), backup, store_id, place))
            connection.execute("COMMIT")
            connection.execute("PRAGMA journal_mode=DELETE")
    except OSError as error:
        raise write_failure(error) from error
    except sqlite3.Error as error:
        raise condition(error, writing=True) or error from error


async def load(tx: Tx, snapshot: Snapshot, backup: str) -> bool:
    """Fill an empty database with a prepared one; False if it holds anything else.

    Nothing happens where this has been done already.
    """
    if await restored_from(tx) == backup:
        return True
    if not await is_empty(tx):
        return False
    for table in TABLES:
        if table.name in _CLEAR:
            await tx.run(_CLEAR[table.name])
        for page in snapshot.pages(table):
            await tx.many(_INSERT[table.name], page)
    tx.bump_epoch()
    return True


async def is_empty(tx: Tx) -> bool:
    """Whether it holds nothing that anybody put there."""
    for statement in _ANY:
        if await tx.one(statement) is not None:
            return False
    return True


async def restored_from(tx: Tx) -> str | None:
    """The name of the backup that this store was made of."""
    return await facts.recall(tx, _RESTORED)


async def _make_new(tx: Tx, backup: str, store_id: str, place: str) -> None:
    await tx.run(_DROP_CONDEMNED_INLINE)
    await tx.run(_DROP_CONDEMNED)
    for name in ("leases", "outbox"):
        await tx.run(_CLEAR[name])
    await tx.run(_DROP_WAITING)
    await facts.remember(tx, places.STORE_ID, store_id)
    await facts.remember(tx, places.PLACES, [place])
    await facts.remember(tx, _RESTORED, backup)
