"""One of all processes is the leader, as long as it keeps its lease."""

import os
import secrets
from datetime import timedelta

from vexobj_storage import ObjectStore

_NAME = "background"
_TTL = timedelta(seconds=60)


class LeaseLeader:
    """Holds the lease, or takes it when nobody does; fenced by the row's growing token."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._holder = f"{os.uname().nodename}-{os.getpid()}-{secrets.token_hex(4)}"

    async def is_leader(self) -> bool:
        """True for at least half the lease's time to live."""
        return await self._store.acquire_lease(_NAME, self._holder, _TTL) is not None

    async def resign(self) -> None:
        await self._store.release_lease(_NAME, self._holder)
