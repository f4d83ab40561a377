"""The tables, and the few shapes of statement that every operation needs."""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import LargeBinary, Select, Table, bindparam, delete, func, literal, select
from sqlalchemy.sql.base import Executable, ReadOnlyColumnCollection
from sqlalchemy.sql.elements import BindParameter, ColumnElement

from vexobj_storage.metadata.statement import Statement, insert_for
from vexobj_storage.metadata.tables import metadata

COUNTERS = metadata.tables["counters"]
IDENTITIES = metadata.tables["identities"]
ACCESS_KEYS = metadata.tables["access_keys"]
BUCKETS = metadata.tables["buckets"]
HOST_ALIASES = metadata.tables["host_aliases"]
OBJECTS = metadata.tables["objects"]
VERSIONS = metadata.tables["versions"]
KEY_HEADS = metadata.tables["key_heads"]
BLOBS = metadata.tables["blobs"]
FINDINGS = metadata.tables["findings"]
FINDING_PLACES = metadata.tables["finding_places"]
ROOT_KEYS = metadata.tables["root_keys"]
INLINE_BLOBS = metadata.tables["inline_blobs"]
BLOB_REFS = metadata.tables["blob_refs"]
MANIFESTS = metadata.tables["manifests"]
MANIFEST_REFS = metadata.tables["manifest_refs"]
UPLOADS = metadata.tables["uploads"]
PARTS = metadata.tables["parts"]
GC_QUEUE = metadata.tables["gc_queue"]
USAGE = metadata.tables["usage"]
USAGE_DELTAS = metadata.tables["usage_deltas"]
FACTS = metadata.tables["facts"]
AUDIT_LOG = metadata.tables["audit_log"]
SUBSCRIBERS = metadata.tables["subscribers"]
OUTBOX = metadata.tables["outbox"]
WEBHOOKS = metadata.tables["webhooks"]
DELIVERIES = metadata.tables["deliveries"]
JOBS = metadata.tables["jobs"]

LAST = 2**63 - 1
"""`versions.descending` is this less the sequence."""

ID_BYTES = 16

Excluded = ReadOnlyColumnCollection[str, ColumnElement[Any]]


def query(executable: Executable) -> Statement:
    """A statement that is the same in every dialect."""
    return Statement(lambda _: executable)


def bytes_bind(name: str) -> BindParameter[bytes]:
    """A bind for places where no column tells its type."""
    return bindparam(name, type_=LargeBinary)


def matches(table: Table, *names: str) -> list[ColumnElement[bool]]:
    """Each named column equals the bind of its name."""
    return [table.c[name] == bindparam(name) for name in names]


def listed(name: str) -> Select[tuple[bytes]]:
    """The ids that are bound to `name` one behind the other, as `packed` has them.

    A list of any length as one bind: so many rows are one round trip, in every dialect.
    """
    ids = bytes_bind(name)
    size = func.length(ids)
    first = select(literal(0).label("at")).where(size > 0)
    at = first.cte(f"{name}_at", recursive=True)
    at = at.union_all(select(at.c.at + ID_BYTES).where(at.c.at + ID_BYTES < size))
    return select(func.substr(ids, at.c.at + 1, ID_BYTES, type_=LargeBinary).label("id"))


def packed(ids: Iterable[bytes]) -> bytes:
    """For a bind of `listed`: sorted, and each once."""
    return b"".join(sorted(set(ids)))


def insert(table: Table) -> Statement:
    """All columns, each from the bind of its name. Changes no row when the primary key is taken."""

    def build(dialect: str) -> Executable:
        rows = insert_for(dialect, table).values({c.name: bindparam(c.name) for c in table.c})
        return rows.on_conflict_do_nothing()

    return Statement(build)


def ensure(table: Table) -> Statement:
    """As `insert`, but locks the row when it is there already: who deletes it meanwhile waits."""

    def build(dialect: str) -> Executable:
        rows = insert_for(dialect, table).values({c.name: bindparam(c.name) for c in table.c})
        key = list(table.primary_key)
        return rows.on_conflict_do_update(index_elements=key, set_={key[0].name: key[0]})

    return Statement(build)


def upsert(
    table: Table,
    changes: Callable[[Table, Excluded], dict[str, ColumnElement[Any]]],
    returning: str,
) -> Statement:
    """Insert all columns or, when the primary key is taken, apply `changes`; locks the row."""

    def build(dialect: str) -> Executable:
        rows = insert_for(dialect, table).values({c.name: bindparam(c.name) for c in table.c})
        taken = rows.on_conflict_do_update(
            index_elements=list(table.primary_key), set_=changes(table, rows.excluded)
        )
        return taken.returning(table.c[returning])

    return Statement(build)


def remove(table: Table, *names: str, returning: tuple[str, ...] = ()) -> Statement:
    """Delete the rows whose named columns equal their binds."""
    rows = delete(table).where(*matches(table, *names))
    return query(rows.returning(*(table.c[name] for name in returning)) if returning else rows)


def exists(table: Table, *names: str) -> Statement:
    """One row with one column, when there is one whose named columns equal their binds."""
    return query(select(table.c[names[0]]).where(*matches(table, *names)).limit(1))
