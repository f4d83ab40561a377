"""All that one key was: its versions and delete markers, newest first."""

from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, literal, select, union_all

from vexobj_storage.metadata import rows
from vexobj_storage.metadata.ops import sql
from vexobj_storage.metadata.ops.listing import place
from vexobj_storage.metadata.tx import Tx
from vexobj_storage.types import ObjectVersion, Page

_O, _V = sql.OBJECTS, sql.VERSIONS


def _rows(table: Table, descending: ColumnElement[int], marker: Any) -> Any:
    """Marker, then the columns VERSION, and by what they are ordered."""
    columns: dict[str, ColumnElement[Any]] = {**table.c, "sequence": sql.LAST - descending}
    return select(
        marker.label("marker"),
        *(columns[name].label(f"version_{name}") for name in rows.VERSION),
        descending.label("descending"),
    ).where(*sql.matches(table, "bucket_id", "key"), descending > bindparam("skip"))


_HISTORY = sql.query(
    union_all(
        _rows(_O, sql.LAST - _O.c.sequence, literal(0)),
        _rows(_V, _V.c.descending, _V.c.is_delete_marker),
    )
    .order_by("descending")
    .limit(bindparam("limit"))
)


async def list_key_versions(
    tx: Tx, bucket_id: int, key: bytes, after: str | None, limit: int
) -> Page[ObjectVersion]:
    """`after` is a version id of the key, even of a version that is gone."""
    skip = -1 if after is None else await place(tx, bucket_id, key, after)
    if skip is None:
        return Page([])
    found = await tx.all(_HISTORY, bucket_id=bucket_id, key=key, skip=skip, limit=limit + 1)
    page = [
        rows.version(
            bucket_id,
            row[1:],
            is_latest=after is None and number == 0,
            is_delete_marker=bool(row[0]),
        )
        for number, row in enumerate(found[:limit])
    ]
    return Page(page, page[-1].version_id if len(found) > limit else None)
