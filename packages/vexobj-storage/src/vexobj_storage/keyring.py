"""The root keys that this process can use, out of the metadata and the operator's master keys."""

from collections.abc import Sequence
from typing import Self

from vexobj_storage.errors import KeyUnavailable
from vexobj_storage.metadata.ops import rootkeys
from vexobj_storage.metadata.tx import MetaStore
from vexobj_storage.sealing.keys import MasterKey, RootKey, WrappedKey, new_root_key, unwrap

_FIRST = 1


class KeyRing:
    """`masters` are tried by their ids; the first wraps what is new.

    `current` is what new content is sealed under, None for content that is stored as it is.
    """

    def __init__(self, metadata: MetaStore, masters: Sequence[MasterKey] = ()) -> None:
        self.current: RootKey | None = None
        self._metadata = metadata
        self._masters = tuple(masters)
        self._seals = False
        self._keys: dict[int, RootKey] = {}

    @classmethod
    async def open(
        cls, metadata: MetaStore, masters: Sequence[MasterKey], *, seal: bool, now_us: int
    ) -> Self:
        """With `seal` new content is sealed, and the first root key made if there is none.

        There has to be a master key for that.

        Raises:
            KeyUnavailable: a root key is wrapped by a master key that is not here, and new
                content is to be sealed or some is sealed under it.
        """
        ring = cls(metadata, masters)
        ring._seals = seal
        if await ring.refresh() == 0 and seal:
            await ring._make(_FIRST, now_us)
        await ring._check()
        return ring

    async def key(self, key_id: int) -> RootKey:
        """Looks again for one that another process has made meanwhile. Raises: KeyUnavailable."""
        found = self._keys.get(key_id)
        if found is None:
            await self.refresh()
            found = self._keys.get(key_id)
        if found is None:
            raise KeyUnavailable(key_id, await self._master_of(key_id))
        return found

    @property
    def known_keys(self) -> int:
        """How many root keys this process can use."""
        return len(self._keys)

    def known(self, key_id: int) -> RootKey | None:
        """As `key`, without waiting and without looking again."""
        return self._keys.get(key_id)

    async def refresh(self) -> int:
        """See what other processes have added; how many root keys there are."""
        stored = await self._metadata.scan(rootkeys.root_keys)
        for each in stored:
            if each.key_id not in self._keys:
                key = unwrap(each, self._masters)
                if key is not None:
                    self._keys[each.key_id] = key
        if self._seals and stored:
            self.current = self._keys.get(stored[-1].key_id, self.current)
        return len(stored)

    async def add(self, now_us: int) -> RootKey | None:
        """A new root key, for what is sealed from now on; None if nothing is to be sealed.

        Of several processes that do so at once, one makes it. The others learn of it by `refresh`.
        """
        if not self._seals:
            return None
        stored = await self._metadata.scan(rootkeys.root_keys)
        await self._make(stored[-1].key_id + 1 if stored else _FIRST, now_us)
        return self.current

    async def rewrap(self) -> int:
        """Wrap every root key by the first master key; how many were wrapped by another.

        Raises: KeyUnavailable, and then none is changed.
        """
        old = [
            each
            for each in await self._metadata.scan(rootkeys.root_keys)
            if not self._masters or each.master_key_id != self._masters[0].id
        ]
        pairs = [(each, self._masters[0].wrap(self._unwrapped(each))) for each in old]
        await self._metadata.write(rootkeys.rewrap, pairs)
        return len(pairs)

    async def _make(self, key_id: int, now_us: int) -> None:
        """Unless another process was faster; its key is taken then."""
        wrapped = self._masters[0].wrap(new_root_key(key_id))
        await self._metadata.write(rootkeys.add, wrapped, now_us)
        await self.refresh()

    def _unwrapped(self, stored: WrappedKey) -> RootKey:
        key = unwrap(stored, self._masters)
        if key is None:
            raise KeyUnavailable(stored.key_id, stored.master_key_id)
        return key

    async def _check(self) -> None:
        for each in await self._metadata.scan(rootkeys.root_keys):
            if each.key_id in self._keys:
                continue
            if self._seals or await self._metadata.scan(rootkeys.is_used, each.key_id):
                raise KeyUnavailable(each.key_id, each.master_key_id)

    async def _master_of(self, key_id: int) -> str | None:
        for each in await self._metadata.scan(rootkeys.root_keys):
            if each.key_id == key_id:
                return each.master_key_id
        return None
