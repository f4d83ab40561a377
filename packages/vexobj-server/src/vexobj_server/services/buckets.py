"""Buckets as the server uses them: all of them in turn, and by host name."""

from collections.abc import AsyncIterator, Mapping

from vexobj_storage import Bucket, InvalidBucketName, ObjectStore

_PAGE = 1000
_RESERVED = frozenset({"dashboard"})


def check_not_reserved(name: str) -> None:
    """A bucket must not hide a path of the server's own. Raises: InvalidBucketName."""
    if name in _RESERVED:
        raise InvalidBucketName(name, "the name is reserved")


async def every_bucket(store: ObjectStore, owner_id: str | None = None) -> AsyncIterator[Bucket]:
    """By name, however many there are; of one owner or of all."""
    after = ""
    while True:
        page = await store.list_buckets(owner_id=owner_id, after=after, limit=_PAGE)
        for bucket in page.items:
            yield bucket
        if page.after is None:
            return
        after = page.items[-1].name


class HostAliases:
    """Which bucket a host name of its own leads to, as fresh as the store's last commit."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._epoch = -1
        self._buckets: Mapping[str, str] = {}

    async def bucket(self, host: str) -> str | None:
        """`host` in lower case, without a port."""
        epoch = await self._store.epoch()
        if epoch != self._epoch:
            self._buckets = await self._store.host_aliases()
            self._epoch = epoch
        return self._buckets.get(host)
