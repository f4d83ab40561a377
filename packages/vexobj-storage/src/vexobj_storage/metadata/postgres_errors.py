"""What PostgreSQL's errors mean to a transaction: run it again, or tell the caller what."""

import asyncpg

from vexobj_storage.errors import (
    OutOfSpace,
    ReadFailed,
    StorageError,
    StoreBusy,
    StoreClosed,
    WriteFailed,
)

# https://www.postgresql.org/docs/current/errcodes-appendix.html; classes are two characters.
_ROLLED_BACK = frozenset({"40001", "40P01"})
_ENDED = frozenset({"40003", "25P03"})  # completion unknown, session idle in a transaction
_BUSY = frozenset({"53300", "53400", "55P03", "57014", "57P03"})
_FULL = frozenset({"53100"})
_LOST_WORDS = ("connection is closed", "connection was closed", "released back to the pool")
_CONNECTION_CLASSES = frozenset({"08", "57"})
_REFUSED_CLASSES = frozenset({"25", "53", "58"})  # read-only, resources, system errors


def rolled_back(error: BaseException) -> bool:
    """Whether the server promises that nothing of the transaction stays, and to try it again."""
    if isinstance(
        error,
        asyncpg.exceptions.InvalidCachedStatementError
        | asyncpg.exceptions.OutdatedSchemaCacheError,
    ):
        return True
    return _sqlstate(error) in _ROLLED_BACK


def connection_lost(error: BaseException) -> bool:
    """Whether the connection, or the server's willingness to use it, ended."""
    if isinstance(error, asyncpg.PostgresError):
        state = _sqlstate(error)
        return state in _ENDED or (state[:2] in _CONNECTION_CLASSES and state not in _BUSY)
    if isinstance(error, asyncpg.InterfaceError):
        return any(words in str(error) for words in _LOST_WORDS)
    return isinstance(error, OSError | asyncpg.InternalClientError) and not isinstance(
        error, TimeoutError
    )


def condition(error: BaseException, *, writing: bool) -> StorageError | None:
    """The condition that an error means; None for one that no server or network explains."""
    if isinstance(error, asyncpg.InterfaceError) and "pool is clos" in str(error):
        return StoreClosed()
    if isinstance(error, TimeoutError) or connection_lost(error):
        return StoreBusy()
    state = _sqlstate(error)
    if state in _FULL:
        return OutOfSpace()
    if state in _BUSY or state in _ROLLED_BACK:
        return StoreBusy()
    if state[:2] in _REFUSED_CLASSES:
        return WriteFailed(str(error)) if writing else ReadFailed(str(error))
    return None


def _sqlstate(error: BaseException) -> str:
    return getattr(error, "sqlstate", None) or ""
