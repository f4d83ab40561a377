"""Host aliases: host names that lead to a bucket, each to one at most."""

from collections.abc import Collection, Mapping

from sqlalchemy import select

from vexobj_storage.errors import HostAliasTaken
from vexobj_storage.metadata.ops import sql
from vexobj_storage.metadata.tx import Tx
from vexobj_storage.types import Bucket

SETTING = "host_aliases"

_A = sql.HOST_ALIASES
_CLAIM = sql.insert(_A)
_HOLDER = sql.query(select(_A.c.bucket_id).where(*sql.matches(_A, "host")))
_RELEASE = sql.remove(_A, "host", "bucket_id")
_RELEASE_ALL = sql.remove(_A, "bucket_id")
_ALL = sql.query(
    select(_A.c.host, sql.BUCKETS.c.name).join(sql.BUCKETS, sql.BUCKETS.c.id == _A.c.bucket_id)
)


def aliases(bucket: Bucket) -> Collection[str]:
    return frozenset(bucket.settings.get(SETTING, ()))


async def replace(tx: Tx, bucket_id: int, old: Collection[str], new: Collection[str]) -> None:
    """Raises: HostAliasTaken."""
    for host in sorted(set(old) - set(new)):
        await tx.run(_RELEASE, host=host, bucket_id=bucket_id)
    for host in sorted(set(new) - set(old)):
        await _claim(tx, host, bucket_id)


async def release_all(tx: Tx, bucket_id: int) -> None:
    await tx.run(_RELEASE_ALL, bucket_id=bucket_id)


async def host_aliases(tx: Tx) -> Mapping[str, str]:
    """Of every host name, the name of the bucket that it leads to."""
    return {row[0]: row[1] for row in await tx.all(_ALL)}


async def _claim(tx: Tx, host: str, bucket_id: int) -> None:
    while not await tx.run(_CLAIM, host=host, bucket_id=bucket_id):
        row = await tx.one(_HOLDER, host=host)
        if row is not None and row[0] == bucket_id:
            return
        if row is not None:
            raise HostAliasTaken(host)
